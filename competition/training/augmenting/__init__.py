"""What happens to training images, and to their masks with them."""
