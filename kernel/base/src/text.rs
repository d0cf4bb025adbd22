//! Vietnamese text: normalisation, folding and sorting.
