//! Made-up values for the tests of this module.
