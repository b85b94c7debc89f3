"""Invented names for invented people and companies.

In: nothing. Out: short lists. Nobody here exists; domains end in `.example`.
"""

FIRST_NAMES = (
    "Ana", "Ben", "Chiara", "Dmitri", "Elif", "Femi", "Greta", "Hiro", "Ines", "Jonas", "Kira",
    "Liam", "Mara", "Noor", "Otto", "Priya", "Quinn", "Rosa", "Sven", "Tomas", "Uma", "Vera",
    "Wen", "Yara", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abelin", "Brodar", "Castell", "Dovren", "Estmark", "Farrowby", "Grenvik", "Hallowin",
    "Iskander", "Jarrick", "Koskela", "Lindqvar", "Morvane", "Nakarin", "Ostrava", "Pellagrin",
    "Quillard", "Rostrand", "Silvane", "Tarkov", "Umbrecht", "Valdane", "Westrin", "Yarrowin",
)  # fmt: skip
COMPANY_STARTS = (
    "Acorn", "Bluefin", "Cobalt", "Driftwood", "Ember", "Fieldstone", "Granite", "Harbor",
    "Indigo", "Juniper", "Kestrel", "Lantern", "Marlow", "Northwind", "Orchard", "Pinecone",
    "Quarry", "Redwood", "Saffron", "Thistle",
)  # fmt: skip
COMPANY_ENDS = (
    "Bikes", "Books", "Cargo", "Coffee", "Designs", "Events", "Farms", "Fitness", "Foods", "Games",
    "Garden", "Homes", "Learning", "Market", "Mobility", "Music", "Rentals", "Tickets", "Tools",
    "Travel",
)  # fmt: skip
COUNTRIES = (
    ("DE", 1), ("FR", 1), ("GB", 0), ("IN", 5), ("JP", 9), ("NL", 1), ("SE", 1), ("US", -5),
    ("US", -8), ("BR", -3), ("CA", -5), ("AU", 10),
)  # fmt: skip
CAMPAIGNS = ("", "", "newsletter", "docs", "conference", "search")
