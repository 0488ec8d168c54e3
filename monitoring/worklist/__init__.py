"""What monitoring puts on people's work lists."""
