//! The model is checked to the end, each of its rules is seen to matter, and its tables are the code's.

mod rules;
mod stories;
mod tables;
