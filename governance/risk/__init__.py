"""The risk questionnaire and the rule that turns its answers into a tier."""
