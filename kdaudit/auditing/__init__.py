"""From a plan to findings: the one room that seats everybody and knows no kind."""
