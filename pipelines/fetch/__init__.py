"""Getting a competition's files: from Kaggle or from addresses, continued where they were cut, checked, unpacked safely."""
