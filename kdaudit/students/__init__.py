"""Students: small networks that are distilled from a teacher."""
