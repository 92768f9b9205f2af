import ArgumentParser

/// The command group `odcs image`.
struct Image: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Define container images in an inventory, and build them.",
        discussion: """
            An inventory is a folder with a file inventory.yaml and with templates of
            Containerfiles. These commands need no server.

            EXAMPLES
              odcs image check inventory/dpdk-ci
              odcs image check inventory/dpdk-ci --json        for programs
              odcs image parameters --inventory inventory/dpdk-ci
              odcs image generate --inventory inventory/dpdk-ci --into D && make -C D -j2 build
            """,
        subcommands: [ImageCheck.self, ImageParameters.self, ImageGenerate.self, ImageLogin.self])
}
