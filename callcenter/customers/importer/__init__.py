"""Files of customers, as other systems export them, brought into the customers' tables."""
