"""What may be searched: Config, SearchSpace, the chain of blocks, modules, bottlenecks and the supernet."""
