"""Makes `reference.json` with Open Bandit Pipeline (PyPI: obp), the reference of off-policy estimators.

obp 0.5.7 needs an older Python and older packages than ours, so it runs in an environment of its own:

    uv venv --python 3.10 /tmp/obp
    uv pip install --python /tmp/obp --no-deps obp==0.5.7
    uv pip install --python /tmp/obp numpy==1.23.5 scipy==1.9.3 scikit-learn==1.1.3 pandas==1.5.2 \\
        "matplotlib<3.8" "seaborn<0.13" tqdm pyyaml
    /tmp/obp/bin/python tests/measure/off_policy/make_reference.py
"""

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

# obp imports torch for its neural policies, which no estimator uses. Empty modules save a download of a gigabyte.
for name in ("torch", "torch.nn", "torch.nn.functional", "torch.optim", "torch.utils", "torch.utils.data"):
    module = sys.modules[name] = ModuleType(name)
    module.__getattr__ = lambda attribute: type(attribute, (), {})
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)

from obp.ope import (  # noqa: E402
    DirectMethod,
    DoublyRobust,
    DoublyRobustWithShrinkage,
    InverseProbabilityWeighting,
    SelfNormalizedInverseProbabilityWeighting,
)

ROWS, ITEMS, POSITIONS = 40, 5, 3


def probabilities(rng: np.random.Generator, skew: float) -> np.ndarray:
    """Return a policy: probabilities (rows, items, positions) whose sum over the items is 1."""
    odds = np.exp(skew * rng.standard_normal((ROWS, ITEMS, POSITIONS)))
    return odds / odds.sum(axis=1, keepdims=True)


def main() -> None:
    rng = np.random.default_rng(20261129)
    logging, target = probabilities(rng, 1.5), probabilities(rng, 0.7)
    model = rng.random((ROWS, ITEMS, POSITIONS))
    position = rng.integers(POSITIONS, size=ROWS)
    item = np.array([rng.choice(ITEMS, p=logging[row, :, position[row]]) for row in range(ROWS)])
    at = np.arange(ROWS), item, position
    reward = (rng.random(ROWS) < 0.3).astype(int)
    log = {
        "reward": reward,
        "action": item,
        "pscore": logging[at],
        "action_dist": target,
        "estimated_rewards_by_reg_model": model,
        "position": position,
    }
    estimators = {
        "inverse_propensity": InverseProbabilityWeighting(),
        "inverse_propensity, max_weight 1.5": InverseProbabilityWeighting(lambda_=1.5),
        "self_normalised": SelfNormalizedInverseProbabilityWeighting(),
        "direct_method": DirectMethod(),
        "doubly_robust": DoublyRobust(),
        "shrunk_doubly_robust, shrinkage 0.5": DoublyRobustWithShrinkage(lambda_=0.5),
        "shrunk_doubly_robust, shrinkage 20": DoublyRobustWithShrinkage(lambda_=20.0),
    }
    reference = {
        "made_by": "tests/measure/off_policy/make_reference.py with obp 0.5.7",
        "inputs": {
            "reward": reward.tolist(),
            "propensity": logging[at].tolist(),
            "target": target[at].tolist(),
            "estimated": model[at].tolist(),
            "expected": [float(target[i, :, p] @ model[i, :, p]) for i, p in enumerate(position)],
        },
        "values": {name: float(found.estimate_policy_value(**log)) for name, found in estimators.items()},
    }
    Path(__file__).with_name("reference.json").write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
