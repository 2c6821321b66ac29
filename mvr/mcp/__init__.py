"""An agent's tools over the Model Context Protocol: find music for a clip, fit it, hand it over."""
