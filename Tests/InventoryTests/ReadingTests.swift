import ComposeModel
import Containerfiles
import Foundation
import ImageModel
import Inventory
import SystemPackage
import Testing

@Suite("Reading of inventories")
struct ReadingTests {
    @Test("an inventory defines images, with defaults for all of them")
    func wholeInventory() throws {
        let files = try TemporaryFolder(["inventory.yaml": InventoryTexts.whole])
        let inventory = try files.folder.inventory()
        let web = try #require(inventory.image("team/web"))
        #expect(inventory.images.map(\.name) == ["base", "team/web"])
        #expect(web.platforms.map(\.description) == ["linux/amd64", "linux/arm/v7"])
        #expect(web.recipe == .template("web"))
        #expect(web.packages == ["nginx", "perl-Foo+1.2"])
        #expect(web.variables == ["release": .text("42"), "debug": .flag(true), "parts": .list(["a", "b"])])
        #expect(web.parents == ["BASE": "base"])
        #expect(web.tags == ImageTags(platform: "web-{platform}", final: ["{date}", "stable", "latest"]))
        #expect(web.requirements == [.parameter("tools"), .label(name: "host", value: "rhel")])
        #expect(web.condition == "wanted")
        #expect(web.disk == 10000)
        #expect(web.memory == 512)
        #expect(
            web.content == ComposeSubmission(source: .init(type: "tag", source: "f26", packages: ["ed"])))
        #expect(web.update)
        let base = try #require(inventory.image("base"))
        #expect(base.requirements == [.label(name: "host", value: "rhel")])
        #expect(base.tags == ImageTags())
        #expect(base.network.rawValue == "none")
        #expect(base.folder == "base")
        #expect(web.folder == "team+web")
    }

    @Test("a mistake is named with its line and key, and with the nearest name", arguments: InventoryTexts.mistakes)
    func mistakes(mistake: InventoryTexts.Mistake) throws {
        #expect(try TemporaryFolder(["inventory.yaml": mistake.text]).problem() == mistake.message)
    }

    @Test("a text that is not YAML is refused, whatever its shape")
    func notYAML() throws {
        let deep = String(repeating: "[", count: 200_000)
        #expect(try TemporaryFolder(["inventory.yaml": deep]).problem() != nil)
        #expect(
            try TemporaryFolder(["inventory.yaml": "images:\n\ta: b"]).problem()
                == "inventory.yaml:2: this is not YAML: found character that cannot start any token")
        #expect(try TemporaryFolder(["inventory.yaml": "- a"]).problem() == "inventory.yaml:1: this is not a mapping of keys to values")
        #expect(try TemporaryFolder(["inventory.yaml": ""]).problem() == "inventory.yaml: this is not a mapping of keys to values")
        #expect(
            try TemporaryFolder(["inventory.yaml": String(repeating: "#", count: 1 << 20) + "\n"]).problem()
                == "inventory.yaml: the file is larger than 1048576 bytes")
        #expect(try TemporaryFolder().problem() == "inventory.yaml: there is no such file")
    }

    @Test("lists of lists by aliases do not fill the memory")
    func aliases() throws {
        let levels = (1...30).map { "  - &a\($0) [*a\($0 - 1), *a\($0 - 1), *a\($0 - 1), *a\($0 - 1)]\n" }.joined()
        let text =
            "images:\n  a:\n    template: x\n    platforms: [linux/amd64]\n    content:\n      source: {type: tag}\n      x:\n      - &a0 [z]\n"
        let problem = try TemporaryFolder(["inventory.yaml": text + levels.replacing("  - ", with: "      - ")]).problem()
        #expect(problem?.contains("images.a.content.x: there is no such key; ") == true)
    }

    @Test("a symbolic link does not lead out of the inventory")
    func links() throws {
        let outside = try TemporaryFolder(["secret": "FROM scratch\n"])
        let inside = try TemporaryFolder(["inventory.yaml": "images:\n  a: {containerfile: link, platforms: [linux/amd64], context: out}\n"]
        )
        for (link, target) in [("link", "/secret"), ("out", "")] {
            try FileManager.default.createSymbolicLink(
                atPath: inside.path.appending(link).string, withDestinationPath: outside.path.string + target)
        }
        let folder = try inside.folder
        let inventory = try folder.inventory()
        let settings = try GenerationSettings(inventory, environment: [:], directory: "/")
        #expect(
            ImageGeneration(inventory, in: folder, settings: settings).problems.map(inside.shown) == [
                "out: the path leads out of the inventory", "link: the path leads out of the inventory",
            ])
    }
}
