"""The AsyncAPI document of an application, and the page that shows it; its names are in the window above."""
