"""Where in a picture its vector comes from: the part that each location of the last feature map has in it.

The features that a network pools are the mean over the locations of its last map (Zhou et al. 2016, "Learning deep
features for discriminative localization"), so a vector is a sum of one part a location. Scalar products of these parts
with another vector sum to the cosine (Stylianou et al. 2019, "Visualizing deep similarity networks").
"""

from dataclasses import dataclass

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13

from vsearch_lib.encoder.embed import Embedder, Graph, Jpeg
from vsearch_lib.encoder.pixels import Pixels
from vsearch_lib.encoder.projection import Projection
from vsearch_lib.errors import ArtefactError
from vsearch_lib.vectors import Vectors

_RESHAPING = ("Reshape", "Squeeze")  # the nodes that may stand between the pooling and the features


@dataclass(frozen=True)
class Located:
    """A square of a picture as the network sees it; float32.

    Attributes:
        vector: (d,), of unit length.
        parts: (rows, columns, d) from the top left; they sum to `vector`.
        length: that of the vector before it is brought to unit length. A square like the mean of the catalogue has a
            short one.
    """

    vector: Vectors
    parts: Vectors
    length: float

    def contributions(self, other: Vectors) -> Vectors:
        """Return what each location adds to the cosine with `other`, a unit vector (d,): (rows, columns)."""
        return np.asarray(self.parts @ other)


class LocatingEmbedder(Embedder):
    """An embedder that also returns each location's part of a vector, in the same pass; the vectors are the same.

    Args: as of `Embedder`.

    Raises:
        ArtefactError: as `Embedder` does, and if the network has no map (`has_map`).
    """

    def locate(self, jpeg: Jpeg) -> Located:
        """Return the vector of a stored picture, with its parts.

        Raises:
            ValueError: it has no vector; the message says why.
        """
        return self.locate_square(self._preprocessing.square(jpeg))

    def locate_square(self, square: Pixels) -> Located:
        """Return the vector of a (side, side, 3) uint8 RGB, with its parts.

        Raises:
            ValueError: it has no vector; the message says why.
        """
        embedded = self.try_embed_squares(1, lambda _, out: np.copyto(out, square))
        for reason, detail in embedded.refused.values():
            raise ValueError(f"{reason}: {detail}")
        return _located(self._maps[0], self._projection)

    def _network(self, graph: Graph) -> openvino.Model:
        model = super()._network(graph)
        found = _map_of(model)
        if found is None:
            raise ArtefactError("a model's features are not the mean of a map of locations, so it has no map")
        model.add_outputs([found])
        return model

    def _features(self) -> NDArray[np.float32]:
        outputs = self._request.infer(self._pixels, share_inputs=True, share_outputs=True)
        self._maps: NDArray[np.float32] = outputs[1]
        features: NDArray[np.float32] = outputs[0]
        return features


def _located(features: Vectors, projection: Projection | None) -> Located:
    """Return the parts of the vector of a square, from its features (rows, columns, width).

    With p the mean of the features x over the n locations, a linear projection's vector is axes·(p / |p| - mean),
    divided by its length. So the part of a location is axes·(x / |p| - mean) / n, divided by the same length: each
    location has an equal share of the mean. The rectified units of a hidden layer are held as they are for the whole
    square, which keeps the sum exact; alone, a location might switch other units on.
    """
    parts = features / (np.linalg.norm(features.mean(axis=(0, 1))) * features[..., 0].size)
    if projection is not None:
        centred = parts - projection.mean / features[..., 0].size
        parts = centred @ projection.axes.T
        if projection.hidden is not None:
            inner = centred @ projection.hidden.inner.T
            parts += inner * (inner.sum(axis=(0, 1)) > 0) @ projection.hidden.outer.T
    whole = parts.sum(axis=(0, 1))
    length = float(np.linalg.norm(whole))
    return Located(whole / length, parts / length, length)


def has_map(graph: Graph) -> bool:
    """Return whether the features of a network are the mean over the locations of a map, rows x columns.

    Most convolutional networks pool so. Of others it cannot be said where in a picture their vector comes from: a
    vision transformer's features come from one token, and MobileNetV3 has another layer after the pooling.
    """
    return _map_of(graph.model()) is not None


def _map_of(model: openvino.Model) -> openvino.Output | None:
    """Return the map (n, rows, columns, width) whose mean over rows and columns is the model's output."""
    node = model.get_results()[0].input_value(0).get_node()
    while node.get_type_name() in _RESHAPING:
        node = node.input_value(0).get_node()
    if node.get_type_name() != "ReduceMean":
        return None
    features, axes = node.input_value(0), node.input_value(1).get_node()
    if axes.get_type_name() != "Constant" or features.get_partial_shape().rank.get_length() != 4:
        return None
    spatial = sorted(int(axis) % 4 for axis in np.atleast_1d(axes.get_data()))
    if spatial == [2, 3]:
        return opset13.transpose(features, [0, 2, 3, 1]).output(0)
    return features if spatial == [1, 2] else None
