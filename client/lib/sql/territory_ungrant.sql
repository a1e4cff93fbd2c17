UPDATE territory SET granted = 0, role = '', source = '' WHERE granted
