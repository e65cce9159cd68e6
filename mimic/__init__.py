"""MIMIC: mutual-information guided backdoor mitigation for pre-trained image encoders."""
