"""House Prices: the sale price of houses in Ames, Iowa, from 79 columns about each."""
