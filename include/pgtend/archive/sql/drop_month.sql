-- Lets a month go that is proven to be somewhere else, or whose time is over.
DROP TABLE {partition}
