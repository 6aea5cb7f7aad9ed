"""New use cases: files that validate, made from a template or from what a database says about itself."""
