"""What is made of answers for others than a shell: documents, pictures, pages, tools for assistants."""
