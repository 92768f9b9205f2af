/// The Containerfile of an image that holds `odcs` itself. Its name is the variable
/// `DPDK_CI_CONTAINERS_CONTAINER_BUILDER_TAG`.
enum GeneratorContainerfile {
    static let text = """
        # Holds odcs itself, so that a host without odcs can run the generator:
        #   podman run --rm -v INVENTORY:/inventory:ro -v FOLDER:/into TAG
        # The base must have the libraries of odcs.
        ARG GENERATOR_BASE=docker.io/library/swift:6.2-bookworm-slim
        FROM ${GENERATOR_BASE}
        COPY odcs /usr/local/bin/odcs
        ENTRYPOINT ["/usr/local/bin/odcs", "image", "generate", "--inventory", "/inventory", "--into", "/into/tree"]

        """
}
