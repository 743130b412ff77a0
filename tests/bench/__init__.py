"""What pgtend costs: each module measures one room beside a rival or a bare minimum, in one run, on real parts."""
