import Koji
import Repodata
import Testing

@testable import ContentSources

@Suite("Names that Koji's hub says")
struct KojiNamesTests {
    /// Names that lead elsewhere, and names that no file can have.
    static let hostile = ["..", ".", "", "../x", "/x", "a/b", "x\u{0}y", "x\ny", String(repeating: "x", count: 300)]

    @Test("a build whose name, version, release or volume would lead elsewhere has no place", arguments: hostile)
    func places(_ hostile: String) {
        #expect(throws: (any Error).self) { try KojiPackage.Place.build(name: hostile, version: "1", release: "1") }
        #expect(throws: (any Error).self) { try KojiPackage.Place.build(name: "a", version: hostile, release: "1") }
        #expect(throws: (any Error).self) { try KojiPackage.Place.build(name: "a", version: "1", release: hostile) }
        #expect(throws: (any Error).self) {
            try KojiPackage.Place.build(name: "a", version: "1", release: "1", volume: hostile)
        }
        // A slash alone makes it a path of more parts.
        if hostile != "a/b" { #expect(throws: (any Error).self) { try KojiPath("work/tasks/\(hostile)/x.rpm") } }
    }

    @Test("a package has a file only if all its names are names of files", arguments: ["..", "../x", "a/b", "x\u{0}y"])
    func packages(_ hostile: String) throws {
        let place = try KojiPackage.Place.build(name: "a", version: "1", release: "1")
        #expect(throws: (any Error).self) {
            try KojiPackage(
                nevra: NEVRA(name: "a", version: "1", release: "1", arch: hostile), build: "a-1-1", place: place, payloadHash: nil)
        }
        guard hostile != ".." else { return }
        for nevra in [
            NEVRA(name: hostile, version: "1", release: "1", arch: "noarch"),
            NEVRA(name: "a", version: hostile, release: "1", arch: "noarch"),
            NEVRA(name: "a", version: "1", release: hostile, arch: "noarch"),
        ] {
            #expect(throws: (any Error).self) { try KojiPackage(nevra: nevra, build: "a-1-1", place: place, payloadHash: nil) }
        }
    }

    @Test("what is no hexadecimal number is no key of a signature")
    func keys() throws {
        let package = try KojiPackage(
            nevra: NEVRA(name: "a", version: "1", release: "1", arch: "noarch"), build: "a-1-1",
            place: .build(name: "a", version: "1", release: "1"), payloadHash: nil, keys: ["../0b3e5524", "0b3e5524", "/", "", "ABCDEF01"])
        #expect(package.keys.filter { !$0.isEmpty } == ["0b3e5524", "ABCDEF01"])
    }

    @Test("a package with such a name is left out of what Koji has, with a sentence that shows it harmlessly")
    func content() {
        var content = KojiContent()
        var build = KojiBuild()
        build.buildID = 1
        build.name = "a"
        build.version = "1"
        build.release = "1"
        build.nvr = "a-1-1"
        build.volumeName = "DEFAULT"
        content.builds[1] = build
        for (id, name) in [(1, "good"), (2, "../bad\u{1B}[2J")] {
            var rpm = KojiRPM()
            rpm.id = id
            rpm.buildID = 1
            rpm.name = name
            rpm.version = "1"
            rpm.release = "1"
            rpm.arch = "noarch"
            content.add(rpm)
        }
        let (packages, notes) = content.packages
        #expect(packages.map(\.path) == ["packages/a/1/1/noarch/good-1-1.noarch.rpm"])
        #expect(
            notes == [
                "The package \"../badU+001B[2J-1-1.noarch\" of the build \"a-1-1\" in Koji is left out: one of its names has a slash, so no file can have that name."
            ])
    }
}
