import Foundation
import Glibc
import ImageArchive
import SystemPackage
import Testing

@Suite("unpacking layers")
struct LayerUnpackerTests {
    private let directory: TemporaryDirectory
    private var root: FilePath { directory.path.appending("root") }

    init() throws { directory = try TemporaryDirectory() }

    @discardableResult
    private func unpack(_ layers: [(TarEntry, String)]..., options: UnpackOptions = UnpackOptions()) throws -> UnpackReport {
        let unpacker = try LayerUnpacker(into: root, options: options)
        for entries in layers {
            let layer = try TestLayer(entries)
            unpacker.beginLayer()
            let reader = try LayerReader(layer.descriptor)
            try layer.bytes.withUnsafeBytes { try reader.read($0, unpacker) }
            #expect(try reader.finish(unpacker).diffID == layer.diffID)
        }
        return unpacker.report
    }

    private func text(_ path: String) -> String? { try? String(decoding: root.appending(path).bytes, as: UTF8.self) }

    private func type(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(root.appending(path).string, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(root.appending(path).string, &status) == 0 ? status.st_mode & 0o7777 : nil
    }

    @Test("an upper layer adds, replaces and hides files of a lower one")
    func layers() throws {
        try unpack(
            [
                (.directory("a/"), ""), (.file("a/kept"), "1"), (.file("a/gone"), "1"), (.file("a/new"), "1"), (.directory("b/"), ""),
                (.file("b/x"), "1"),
            ],
            [(.file("a/.wh.gone"), ""), (.file("a/new"), "2"), (.file(".wh.b"), ""), (.file("c/d/e", mode: 0o755), "2")])
        #expect(text("a/kept") == "1")
        #expect(type("a/gone") == nil)
        #expect(text("a/new") == "2")
        #expect(type("b") == nil)
        #expect(mode("c/d/e") == 0o755)
    }

    @Test("an opaque directory hides the layers below, wherever its marker stands in the layer")
    func opaque() throws {
        try unpack(
            [(.file("d/lower"), "1"), (.file("d/sub/lower"), "1"), (.file("d/both"), "1")],
            [
                (.directory("d/"), ""), (.file("d/both"), "2"), (.file("d/sub/upper"), "2"), (.file("d/.wh..wh..opq"), ""),
                (.file("d/after"), "2"),
            ])
        #expect(type("d/lower") == nil)
        #expect(type("d/sub/lower") == nil)
        #expect(text("d/both") == "2")
        #expect(text("d/sub/upper") == "2")
        #expect(text("d/after") == "2")
    }

    @Test("a whiteout does not hide a file of its own layer")
    func whiteoutOfSameLayer() throws {
        try unpack([(.file("a"), "1")], [(.file("a"), "2"), (.file(".wh.a"), "")])
        #expect(text("a") == "2")
    }

    @Test("files, directories and links replace each other")
    func kinds() throws {
        try unpack(
            [(.file("a"), "1"), (.file("b/x"), "1"), (.link(.symbolicLink, "c", to: "b"), "")],
            [(.directory("a/"), ""), (.link(.symbolicLink, "b", to: "a"), ""), (.directory("c/"), ""), (.file("c/y"), "2")])
        #expect(type("a") == S_IFDIR)
        #expect(type("b") == S_IFLNK)
        #expect(type("c") == S_IFDIR)
        #expect(text("c/y") == "2")
    }

    @Test("devices and pipes are left out with a note, and setuid bits are cleared unless kept")
    func leftOut() throws {
        let entries: [(TarEntry, String)] = [
            (.link(.characterDevice, "dev/null", to: ""), ""), (.link(.fifo, "pipe", to: ""), ""), (.file("su", mode: 0o4755), "su"),
        ]
        let report = try unpack(entries)
        #expect(type("dev/null") == nil)
        #expect(type("pipe") == nil)
        #expect(report.leftOut == 2)
        #expect(report.notes == [#""dev/null" was left out: it is a device."#, #""pipe" was left out: it is a pipe."#])
        #expect(mode("su") == 0o755)
        try FileManager.default.removeItem(atPath: root.string)
        var options = UnpackOptions()
        options.keepsSpecialBits = true
        try unpack(entries, options: options)
        #expect(mode("su") == 0o4755)
    }

    @Test("a directory that is not empty is refused")
    func notEmpty() throws {
        mkdir(root.string, 0o755)
        try Data().write(to: URL(fileURLWithPath: root.appending("mine").string))
        let error = #expect(throws: ImageArchiveError.self) { try unpack([(.file(".wh.mine"), "")]) }
        #expect(error?.message == "The directory \(root) is not empty. Layers are unpacked into an empty directory.")
        #expect(type("mine") == S_IFREG)
    }

    // MARK: Entries that lead out

    private var outside: FilePath { directory.path.appending("outside") }

    /// Runs `body` with a file outside of the target, and expects it to be unchanged.
    private func withFileOutside(_ body: () throws -> Void) throws {
        try Data("secret".utf8).write(to: URL(fileURLWithPath: outside.string))
        try body()
        #expect(try outside.bytes == Array("secret".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path.string).sorted() == ["outside", "root"])
    }

    @Test("an absolute path stays inside")
    func absolutePath() throws {
        try withFileOutside { try unpack([(.file(outside.string), "evil")]) }
        #expect(text(String(outside.string.dropFirst())) == "evil")
    }

    @Test("a path with .. is refused", arguments: ["../outside", "a/../../outside", "..", "./..", "a/.."])
    func parentPath(path: String) throws {
        try withFileOutside {
            let error = #expect(throws: ImageArchiveError.self) { try unpack([(.file(path), "evil")]) }
            #expect(error?.message == "The layer has the entry \"\(path)\", whose path leads out of the image.")
        }
    }

    @Test("an entry below a symbolic link that leads out stays inside")
    func throughSymbolicLink() throws {
        try withFileOutside {
            for target in ["..", "../..", directory.path.string, "/"] {
                try? FileManager.default.removeItem(atPath: root.string)
                _ = try? unpack([(.link(.symbolicLink, "link", to: target), "")], [(.file("link/outside"), "evil")])
            }
        }
    }

    @Test("a file in place of a symbolic link replaces the link and does not follow it")
    func ontoSymbolicLink() throws {
        try withFileOutside { try unpack([(.link(.symbolicLink, "link", to: "../outside"), ""), (.file("link"), "evil")]) }
        #expect(text("link") == "evil")
    }

    @Test("an entry below a symbolic link of the image goes where the link leads in a container")
    func throughInnerLink() throws {
        try unpack([(.directory("usr/lib/"), ""), (.link(.symbolicLink, "lib", to: "/usr/lib"), "")], [(.file("lib/x"), "2")])
        #expect(text("usr/lib/x") == "2")
        #expect(type("lib") == S_IFLNK)
    }

    @Test("a hard link to a file outside is refused", arguments: ["../outside", "/../outside", "link/outside"])
    func hardLinkOut(target: String) throws {
        try withFileOutside {
            #expect(throws: ImageArchiveError.self) {
                try unpack([(.link(.symbolicLink, "link", to: ".."), ""), (.link(.hardLink, "hard", to: target), "")])
            }
        }
    }

    @Test("a hard link to a symbolic link that leads out links the symbolic link, and a file in its place replaces it")
    func hardLinkToSymbolicLink() throws {
        try withFileOutside {
            try unpack([
                (.link(.symbolicLink, "link", to: "../outside"), ""), (.link(.hardLink, "hard", to: "link"), ""), (.file("hard"), "evil"),
            ])
        }
        #expect(text("hard") == "evil")
    }

    @Test("a whiteout that names no file is refused", arguments: [".wh...", ".wh..", ".wh.", "a/.wh..."])
    func whiteoutOfParent(path: String) throws {
        try withFileOutside {
            let error = #expect(throws: ImageArchiveError.self) { try unpack([(.file("a/x"), "")], [(.file(path), "")]) }
            #expect(error?.message == "The layer has the whiteout \"\(path)\", which names no file.")
        }
    }

    @Test("a whiteout or opaque marker below a symbolic link that leads out removes nothing outside")
    func whiteoutThroughLink() throws {
        try withFileOutside {
            try unpack(
                [(.link(.symbolicLink, "link", to: "../.."), ""), (.file("inside"), "1")],
                [(.file("link/.wh.outside"), ""), (.file("link/.wh..wh..opq"), "")])
        }
        #expect(type("inside") == nil)
    }

    @Test("a path with too many names is refused")
    func tooDeep() throws {
        let error = #expect(throws: ImageArchiveError.self) { try unpack([(.file(String(repeating: "a/", count: 300) + "x"), "")]) }
        #expect(error?.code == .forbidden)
    }
}
