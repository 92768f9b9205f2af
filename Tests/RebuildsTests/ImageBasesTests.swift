import ComposeTestKit
import Foundation
import ImageModel
import Testing

@testable import ComposeStore
@testable import Rebuilds

/// The images that images build on, as Containerfiles, pins and layers tell.
@Suite struct ImageBasesTests {
    private static let amd64 = certain { try Platform("linux/amd64") }
    private static let arm64 = certain { try Platform("linux/arm64") }

    private static func certain<Value>(_ value: () throws -> Value) -> Value {
        do { return try value() } catch { fatalError("\(error)") }
    }

    private static func reference(_ name: String) throws -> ImageReference { try ImageReference("r.example/\(name)").withDefaultTag }

    private static func image(
        _ id: Int, _ source: ImageDefinition.Source, platforms: [Platform] = [amd64], arguments: [String: String] = [:],
        update: Bool = false
    ) throws -> Image {
        var definition = ImageDefinition(source: source, platforms: platforms)
        definition.arguments = arguments
        definition.update = update
        return Image(
            id: id, owner: "me", repository: try reference("i\(id)").repository, definition: definition,
            timeAdded: Date(timeIntervalSince1970: 0))
    }

    private static let git = ImageDefinition.Source.git(url: "https://g.example/x.git", reference: "main", folder: "")

    private static func bases(of image: Image, pins: BuildPins? = nil, origins: [Platform: StepOrigin] = [:]) -> KnownImage? {
        ImageBases(PlanningFacts(images: [image], pins: pins.map { [image.id: $0] } ?? [:], origins: [image.id: origins], total: 1))
            .images.first
    }

    @Test("the base is that of the last stage, for each platform, and images of other stages are known besides")
    func containerfile() throws {
        let text = """
            ARG BASE=r.example/os
            FROM r.example/tools AS build
            FROM $BASE-$TARGETARCH:9
            COPY --from=r.example/files /a /a
            COPY --from=build /b /b
            """
        let known = try #require(
            Self.bases(
                of: Self.image(
                    1, .containerfile(text), platforms: [Self.amd64, Self.arm64], arguments: ["BASE": "r.example/el"], update: true)))
        #expect(known.bases[Self.amd64] == .image(try ImageReference("r.example/el-amd64:9")))
        #expect(known.bases[Self.arm64] == .image(try ImageReference("r.example/el-arm64:9")))
        #expect(known.others.isSuperset(of: try [Self.reference("tools"), Self.reference("files")]))
        #expect(known.upgrades)
        let scratch = try #require(Self.bases(of: Self.image(2, .containerfile("FROM scratch\nCOPY . /\n"))))
        #expect(scratch.bases == [Self.amd64: .scratch])
        #expect(!scratch.upgrades)
        let upgrade = try Self.bases(of: Self.image(3, .containerfile("FROM r.example/os\nRUN dnf -y upgrade openssl-libs\n")))
        #expect(upgrade?.upgrades == true)
    }

    @Test("without the text of a Containerfile the pins tell the base, if it is the only image")
    func pins() throws {
        let image = try Self.image(1, Self.git)
        let digest = ImageDigest(of: [1])
        #expect(Self.bases(of: image)?.bases == [Self.amd64: .unknown])
        let one = Self.bases(of: image, pins: BuildPins(images: ["r.example/os:latest": digest]))
        #expect(one?.bases == [Self.amd64: .image(try Self.reference("os"))])
        let two = Self.bases(of: image, pins: BuildPins(images: ["r.example/os:latest": digest, "r.example/tools:latest": digest]))
        #expect(two?.bases == [Self.amd64: .unknown])
        #expect(two?.others == Set(try [Self.reference("os"), Self.reference("tools")]))
    }

    @Test("the build before tells the base of a Containerfile that names several images, and whether it upgrades")
    func origins() throws {
        let image = try Self.image(1, Self.git, platforms: [Self.amd64, Self.arm64])
        let pins = BuildPins(images: ["r.example/os:9": ImageDigest(of: [1]), "r.example/tools:latest": ImageDigest(of: [1])])
        func origin(_ base: String?, upgrades: Bool = false) -> StepOrigin {
            StepOrigin(
                containerfile: ImageDigest(of: [1]), node: "local", isolation: "rootless", composes: [], base: base, upgrades: upgrades)
        }
        let known = Self.bases(
            of: image, pins: pins, origins: [Self.amd64: origin("r.example/os:9"), Self.arm64: origin(nil, upgrades: true)])
        #expect(known?.bases == [Self.amd64: .image(try ImageReference("r.example/os:9")), Self.arm64: .scratch])
        #expect(known?.upgrades == true)
        // The only image may be that of an earlier stage.
        let one = Self.bases(
            of: image, pins: BuildPins(images: ["r.example/os:9": ImageDigest(of: [1])]), origins: [Self.amd64: origin(nil)])
        #expect(one?.bases[Self.amd64] == .scratch)
    }

    @Test("a Containerfile that cannot be read or has no value for its base leaves the base unknown")
    func unreadable() throws {
        for text in ["RUN true\n", "ARG BASE\nFROM $BASE\n", "FROM scratch\nRUN <<EOF\nset -e\nEOF\n"] {
            #expect(try Self.bases(of: Self.image(1, .containerfile(text)))?.bases == [Self.amd64: .unknown], "\(text)")
        }
    }

    @Test("layers tell a base that is an image of this service: the longest beginning of the layers in use")
    func layers() throws {
        let layers = (0..<4).map { ImageDigest(of: [UInt8($0)]) }
        let images = try (1...3).map { try Self.image($0, $0 == 2 ? .containerfile("FROM scratch\n") : Self.git) }
        var bases = ImageBases(PlanningFacts(images: images, pins: [:], total: 3))
        #expect(bases.withoutBase == [1, 3])
        func entry(_ image: Int, _ count: Int, isInUse: Bool = true) -> ImageLayers {
            ImageLayers(image: image, platform: Self.amd64, isInUse: isInUse, layers: Array(layers.prefix(count)))
        }
        // The image 3 is on an earlier build of 1, and 1 is on 2.
        bases.find(among: [entry(2, 1), entry(1, 2, isInUse: false), entry(1, 2), entry(3, 3), entry(3, 4, isInUse: false)])
        #expect(bases.images.map { $0.bases[Self.amd64] } == [.own(2), .scratch, .own(1)])
    }
}
