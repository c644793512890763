"""What a build does to code: one package a stage, in the order of the flow.

Each stage has NAME, VERSION (its policy version, part of every task's identity) and REASONS (code → meaning).
"""
