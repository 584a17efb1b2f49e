"""Visual search as a nightly batch pipeline: images in, a published and searchable index out."""
