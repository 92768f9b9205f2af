import ArgumentParser

/// The command group `odcs image`.
struct Image: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image",
        abstract: "Define container images, build them, and see what is in them.",
        discussion: """
            An inventory is a folder with a file inventory.yaml and with templates of
            Containerfiles. The commands for inventories, 'login' and 'verify' need no server.

            EXAMPLES
              odcs image check inventory/dpdk-ci
              odcs image generate --inventory inventory/dpdk-ci --into D && make -C D -j2 build
              odcs image add team/web ./web && odcs image build team/web
              odcs image affected openssl-libs --older-than 1:3.0.7-28.el9
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Images of the service",
                subcommands: [
                    ImageAdd.self, ImageListing.self, ImageGet.self, ImageRemove.self, ImageContents.self, ImageDiff.self,
                    ImageAffected.self, ImageWhy.self,
                ]),
            CommandGroup(
                name: "Builds", subcommands: [ImageBuild.self, ImageBuilds.self, ImageWait.self, ImageLog.self, ImageCancel.self]),
            CommandGroup(
                name: "Inventories and registries",
                subcommands: [
                    ImageCheck.self, ImageParameters.self, ImageGenerate.self, ImagePush.self, ImageLogin.self, ImageVerify.self,
                ]),
        ])
}
