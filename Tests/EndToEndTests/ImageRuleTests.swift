import ComposeModel
import ComposeStore
import Foundation
import ImageModel
import ImageTestKit
import ScriptedHub
import SystemPackage
import Testing

/// Images that follow a Koji tag by a rule, by commands.
@Suite(.serialized, .timeLimit(.minutes(10))) struct ImageRuleTests {
    @Test("a build that is tagged reaches the images of a rule without a request, and the same event again builds nothing")
    func tagged() async throws {
        try await ScriptedHub.with { hub in
            let history = TagHistory(hub)
            let koji = "koji: {hub: \"\(hub.address)\", topdir: \"\(ScriptedHub.topdir)\", watch_seconds: 1}"
            try await ImageService.with(images: "contents_seconds: 1", more: koji) { images in
                try await images.serve { server in
                    let team = Followers(images: images, server: server)
                    try await server.succeed(
                        "watch-tag", "f26-updates", "--packages", "libfoo", "--no-deps", "--rebuild", "team/*")
                    let rule: RuleDocument = try await server.document("rule", "list", "1")
                    #expect(rule.watch == 1)
                    _ = try await images.service.await(1, .done)
                    try await team.buildImages()
                    for name in ["tool", "web"] { #expect(try await team.packages(of: name) == ["libfoo-1.0-1.fc26.x86_64"]) }
                    let before = try await images.digest("team/tool")
                    try await team.addLeaf()

                    // A build is tagged. Nobody asks for anything from here on.
                    history.advance()
                    try await team.awaitDone(builds: 2, of: "web")
                    for name in ["tool", "web"] {
                        #expect(try await team.packages(of: name) == ["libfoo-1.1-1.fc26.x86_64"])
                        #expect(try await team.builds(of: name).count == 2)
                    }
                    #expect(try await images.digest("team/tool") != before)
                    #expect(try await team.builds(of: "os").count == 1, "It does not have the package.")
                    let rebuilds = try await images.service.store.rebuilds()
                    #expect(rebuilds.items.map(\.rule) == [1])

                    // The hub reports the change again. The rule is looked at again, too.
                    history.advance()
                    let looked = try await team.rule().timeLooked
                    while try await team.rule().timeLooked == looked { try Task.checkCancellation() }
                    #expect(try await team.builds(of: "tool").count == 2)
                    #expect(try await images.service.store.rebuilds().total == 1)

                    // The base of another image is moved. It follows by a rule of its own.
                    try await team.moveBase()
                    try await team.awaitDone(builds: 2, of: "leaf", in: "other")
                    #expect(try await team.packages(of: "leaf", in: "other") == ["libfoo-1.1-1.fc26.x86_64"])

                    let verified = try await server.succeed("image", "verify", "\(images.registry.host)/team/web:latest", "--insecure")
                    #expect(verified.output.hasSuffix("The image is as the statement says.\n"), "\(verified.output)")
                    try await server.succeed("unwatch", "1")
                    #expect(try await team.rule().timeEnded != nil)
                }
            }
        }
    }

    @Test("a server that is killed between the change and the rebuild asks for the rebuild when it is back, and only once")
    func killed() async throws {
        try await ScriptedHub.with { hub in
            let history = TagHistory(hub)
            let koji = "koji: {hub: \"\(hub.address)\", topdir: \"\(ScriptedHub.topdir)\", watch_seconds: 1}"
            try await ImageService.with(images: "contents_seconds: 1", more: koji) { images in
                try await images.serve { server in
                    let team = Followers(images: images, server: server)
                    try await server.succeed("watch-tag", "f26-updates", "--packages", "libfoo", "--no-deps", "--rebuild", "team/*")
                    _ = try await images.service.await(1, .done)
                    try await team.buildImages()
                    history.advance()
                    // The new compose is there, and perhaps not even done.
                    _ = try await images.service.awaitChange { try await images.service.store.compose(2) }
                    await server.kill()
                }
                let before = try await images.service.store.rebuilds().total
                try await images.serve { server in
                    let team = Followers(images: images, server: server)
                    try await team.awaitDone(builds: 2, of: "web")
                    #expect(try await team.packages(of: "web") == ["libfoo-1.1-1.fc26.x86_64"])
                    #expect(try await images.service.store.rebuilds().total == 1, "There were \(before) when the server was killed.")
                }
            }
        }
    }
}

/// The images of the rule: `tool` installs a package, `web` builds on it, and `os` does not have it.
private struct Followers {
    let images: ImageService
    let server: ServerProcess

    func buildImages() async throws {
        let os = try images.folder("os", "FROM scratch\nCOPY root /\nENV PATH=/usr/bin:/usr/sbin LC_ALL=C.UTF-8\n")
        try await Program.succeed(Checkout.directory.appending("scripts/image-root").string, os.appending("root").string)
        try await add("os", os)
        let base = "\(images.registry.host)/team"
        let tool = try images.folder(
            "tool",
            """
            FROM \(base)/os AS installer
            RUN dnf -y --installroot=/tree install libfoo
            FROM scratch
            COPY --from=installer /tree /

            """)
        try await add("tool", tool, "--compose", "1")
        try await add("web", try images.folder("web", "FROM \(base)/tool\nCOPY Containerfile /web\n"))
    }

    private func add(_ name: String, _ folder: FilePath, _ options: String...) async throws {
        try await server.succeed("image", "add", "team/\(name)", folder.string)
        let build = try await server.odcs(["image", "build", "team/\(name)"] + options)
        guard build.isSuccess else { throw build }
    }

    /// Adds and builds an image that follows an image of others. Its Containerfile names another image too.
    func addLeaf() async throws {
        try await moveBase()
        let text = """
            FROM \(images.registry.host)/team/os AS files
            FROM \(images.registry.host)/foreign/tool:1
            COPY --from=files /etc/hostname /leaf

            """
        try await server.succeed("image", "add", "other/leaf", images.folder("leaf", text).string)
        try await server.succeed("image", "build", "other/leaf")
        try await server.succeed("rule", "add", "--base", "--images", "other/*")
    }

    /// Lets the tag of the image of others show what `tool` is now.
    func moveBase() async throws {
        try await Program.succeed(
            "skopeo", "copy", "--quiet", "--all", "--src-tls-verify=false", "--dest-tls-verify=false",
            "docker://\(images.registry.host)/team/tool:latest", "docker://\(images.registry.host)/foreign/tool:1")
    }

    func rule() async throws -> RuleDocument { try await server.document("rule", "list", "1") }

    /// The builds of an image, the newest first.
    func builds(of name: String, in team: String = "team") async throws -> [BuildDocument] {
        struct List: Decodable { let items: [BuildDocument] }
        let list: List = try await server.document("image", "builds", "--image", "\(team)/\(name)")
        return list.items
    }

    /// Waits until an image has so many builds, which are all done.
    func awaitDone(builds count: Int, of name: String, in team: String = "team") async throws {
        _ = try await images.service.awaitChange { () async throws -> Bool? in
            let builds = try await builds(of: name, in: team)
            return builds.count == count && builds.allSatisfy { $0.stateName == "done" } ? true : nil
        }
    }

    /// The packages of the published image, as they are read from the registry.
    func packages(of name: String, in team: String = "team") async throws -> [String] {
        let shown = try await server.succeed("image", "contents", "\(team)/\(name)", "--platform", "\(Platform.host)").output
        return shown.split(separator: "\n").map(String.init).filter { !$0.hasPrefix(Platform.host.description) }
    }
}
