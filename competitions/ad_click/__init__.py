"""Ad click: whether an advertisement shown on a site or in an app is clicked, from coded columns about place, device and creative."""
