"""Translation in 2014, 2015 and 2017: three models of one size, trained on the same phrases."""
