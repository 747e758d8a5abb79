"""Simulators of xCAT 2.19's own commands; the services they drive are real."""
