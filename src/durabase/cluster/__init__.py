"""Several processes of one machine that share the objects of a state directory, by their ids."""
