"""How much each field contributes to an answer, for any subject, with the error of each share."""
