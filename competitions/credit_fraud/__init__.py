"""Credit card fraud: the payments that the card's holder did not make, from 28 principal components, the time and the amount."""
