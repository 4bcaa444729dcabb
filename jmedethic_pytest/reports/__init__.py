"""What people look at: terminal, Markdown, Allure. Every figure comes from the one summary object."""
