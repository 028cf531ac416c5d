//! What the tree says of lines whose answer is known.

