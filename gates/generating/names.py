"""What a synthetic organisation calls things."""

from __future__ import annotations

DIVISIONS = (
    ("retail", "Retail banking", ("cards", "loans", "savings", "branches", "service")),
    ("insurance", "Insurance", ("claims", "underwriting", "motor", "health", "life")),
    ("corporate", "Corporate clients", ("trade", "treasury", "leasing", "cash", "advisory")),
    ("operations", "Operations", ("payments", "documents", "logistics", "facilities", "procurement")),
    ("risk", "Risk and finance", ("credit-risk", "fraud", "accounting", "reporting", "collections")),
    ("people", "People", ("hiring", "learning", "payroll", "health-safety", "travel")),
    ("technology", "Technology", ("platform", "security-ops", "data-office", "workplace", "engineering")),
    ("markets", "Markets", ("research", "trading", "pricing", "compliance-desk", "settlement")),
)
"""Code, name and departments of each division."""

TASKS = (
    ("triage", "Sorts what comes in by urgency and sends it to whoever can settle it."),
    ("forecast", "Says what the coming weeks need, so that people and stock are in place."),
    ("assistant", "Answers questions from our own documents and names its sources."),
    ("scoring", "Orders cases by how likely they are to need attention."),
    ("extraction", "Reads forms and letters and fills the fields that people typed before."),
    ("anomaly watch", "Notices what does not look like the rest and asks somebody to look."),
    ("matching", "Finds the pairs that belong together in two lists that never agreed."),
    ("summaries", "Turns long files into half a page that a decision can start from."),
    ("pricing support", "Suggests a price with its reasons, for a person to accept or change."),
    ("quality check", "Looks at every item instead of a sample of them."),
    ("translation", "Puts correspondence into the reader's language, to be checked before it leaves."),
    ("scheduling", "Plans who does what when, within the rules that hold."),
    ("recommendation", "Suggests the next step that helped in cases like this one."),
    ("search", "Finds the passage that answers, not the document that mentions."),
    ("code review", "Comments on changes before a colleague does."),
    ("demand planning", "Estimates what will be asked for, by place and day."),
)

STAGES = (
    ("idea", 26),
    ("poc", 22),
    ("pilot", 16),
    ("production", 13),
    ("operations", 15),
    ("retired", 5),
    ("stopped", 3),
)
TRACK = ("idea", "poc", "pilot", "production", "operations")
TIERS = (("", 12), ("minimal", 30), ("limited", 36), ("high", 22))
METRICS = (
    ("f1", "F1 on live traffic", "ratio", "higher", 0.86, ["performance"]),
    ("latency_p95", "Answer time, 95th percentile", "ms", "lower", 420.0, ["latency", "operations"]),
    ("psi", "Drift of inputs", "PSI", "lower", 0.08, ["drift", "input"]),
)
VALIDATIONS = (
    "performance_historical",
    "performance_live",
    "stability",
    "stress",
    "expert_review",
    "independent_review",
)
KPIS = (
    ("handling-time", "Handling time", "minutes", "lower", 24, 15),
    ("first-time-right", "First time right", "%", "higher", 71, 85),
    ("cost-per-case", "Cost per case", "EUR", "lower", 38, 26),
    ("backlog", "Open cases", "cases", "lower", 900, 400),
)
FIRST_NAMES = (
    "Ada", "Ben", "Chiara", "Daan", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kaja", "Liam", "Mina", "Noor",
    "Oskar", "Pia", "Quinn", "Rosa", "Sami", "Tara",
)  # fmt: skip
LAST_NAMES = (
    "Adeyemi", "Berg", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Horvat", "Ivanova", "Jansen", "Kaya",
    "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Rossi", "Santos", "Tanaka", "Weber",
)  # fmt: skip
