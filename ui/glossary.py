"""The words of this app, each in one plain sentence: for tooltips and the sidebar's glossary."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

TERMS = {
    "encoder": "A neural network that turns an image into a list of numbers which say what the "
    "image shows; other programs build on these numbers.",
    "backdoor": "A hidden habit that an attacker trained into a network: it works normally until "
    "an image carries the trigger.",
    "trigger": "The mark that sets off a backdoor, for example a small white square in a corner; "
    "the story calls it a sticker.",
    "target class": "The answer the attacker wants for every image that carries the trigger.",
    "suspect": "The encoder you are not sure about; also called the teacher when a fresh encoder "
    "learns from it.",
    "accuracy": "How often the answer is right on images without a trigger.",
    "triggered image": "An image with the trigger on it; what it shows besides stays the same.",
    "attack success": "How often a triggered image gets the attacker's answer, counted on images "
    "that truly show something else; also called attack success rate, ASR.",
    "clean twin": "An encoder of the same kind that was never attacked, to compare with.",
    "floor": "Attack success on the clean twin: what even an encoder without the backdoor shows.",
    "95% interval": "The range in which the true share lies in 19 of 20 such measurements; fewer "
    "images make it wider.",
    "layer": "One stage of the network; an image passes through all of them, one after another.",
    "stem": "The network's first layer: it turns colours into simple edges.",
    "evaluation": "Scoring an encoder again, with several kinds of classifier on top.",
    "sweep": "Many short cleanings with different settings, to compare what they bring along.",
    "tensor": "A block of numbers in an encoder's file, such as the weights of one layer.",
    "ResNet": "A common design of networks for images; the number behind it counts its layers.",
    "weights": "The numbers a network learned; a file of an encoder holds them and nothing else.",
    "features": "The list of numbers that an encoder gives for an image.",
    "mutual information": "How much one thing tells about another: here, how much a layer "
    "tells about the network's final answer, which is much where that answer changes with the "
    "picture.",
    "normalisation": "How colours are scaled before the network sees an image. Files rarely say "
    "it, and another scaling changes all figures a little.",
    "nat": "The unit of information; one nat is about 1.44 bits.",
    "critic": "A small network that learns to tell matching pairs from shuffled ones, by which "
    "information is measured.",
    "distillation": "Training a fresh network to give the answers of another one, on chosen images "
    "only.",
    "teacher": "The network that is learned from: the suspect.",
    "student": "The fresh network that learns: the cleaned encoder.",
    "clean images": "A few images that surely carry no trigger; the student sees nothing else.",
    "loss": "A number that training makes smaller; it says how far the network is from its goal.",
    "clone loss": "How far the student's final numbers are from the suspect's.",
    "attention loss": "How differently student and suspect look at an image, layer by layer.",
    "contrastive loss": "How badly the student recognises two views of one image as the same.",
    "layer weight": "How strongly the attention loss of one layer counts.",
    "classifier": "A small program put on top of an encoder that names what an image shows. A "
    "linear one draws straight borders, a nearest-neighbour one (kNN) asks the most alike known "
    "images, an MLP is a small network.",
    "probe": "A simple classifier put on top of an encoder to see how much its numbers tell.",
    "embedding": "A map of images: what the network makes of each is drawn as a point, so that "
    "images it takes for alike lie together.",
    "displacement": "How far the trigger moves an image's features: 0 not at all, 1 as far as "
    "having nothing in common; one minus the cosine of the angle between both.",
    "silhouette": "How clearly two groups of points lie apart: near 1 for two separate groups, "
    "near 0 where they mix.",
    "CKA": "How alike two networks, or two layers, see the same images: 1 is the same, 0 is "
    "unrelated.",
    "classifier's plane": "A map of a simple classifier's own decision: to the right the images it "
    "takes for the attacker's class, upwards those it gets right.",
    "UMAP": "A way to draw an embedding's points so that neighbours stay neighbours; distances "
    "mean little.",
    "PCA": "A way to draw an embedding's points along the directions in which they differ most.",
    "kNN": "A classifier that asks the nearest known images; short for k nearest neighbours.",
    "seed": "A number that fixes all random choices, so that a run can be repeated.",
    "epoch": "One pass over all training images; Simple calls it a round.",
    "round": "One pass over all training images; experts call it an epoch.",
    "batch": "The images used for one step of training.",
    "bfloat16": "A short format for numbers, faster and a little coarser than the usual one.",
    "learning rate": "How big each step of training is.",
}


def help_for(*terms: str) -> str:
    """The tooltip that explains some terms.

    Raises:
        KeyError: if a term is not in the glossary.
    """
    if len(terms) == 1:
        return TERMS[terms[0]]
    return "\n\n".join(entry(term) for term in terms)


def entry(term: str) -> str:
    """One term and its sentence."""
    return f"**{term[0].upper() + term[1:]}.** {TERMS[term]}"


def matching(text: str) -> Iterable[str]:
    """The terms that hold a text, in their name or their sentence."""
    wanted = text.strip().lower()
    return [t for t, told in TERMS.items() if wanted in t.lower() or wanted in told.lower()]


def popover() -> None:
    """The whole glossary, one click away on every page."""
    with st.sidebar, st.popover("Glossary", icon=":material/menu_book:", width="stretch"):
        wanted = st.text_input("Find a word", key="glossary_search", placeholder="trigger")
        found = list(matching(wanted or ""))
        for term in sorted(found, key=str.lower):
            st.markdown(entry(term))
        if not found:
            st.caption("No word like this is explained here.")
