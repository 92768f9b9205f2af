import Foundation
import ImageModel
import Testing

/// The verification of a new image before its tags move.
@Suite struct VerificationTests {
    private let layers = ["base", "own", "more"].map { ImageDigest(of: $0.utf8) }

    private func package(
        _ name: String, _ version: String, epoch: Int = 0, arch: String = "x86_64", module: String? = nil
    ) -> InstalledPackage {
        InstalledPackage(name: name, evr: EVR(epoch: epoch, version: version, release: "1"), arch: arch, modularityLabel: module)
    }

    private func contents(_ packages: [InstalledPackage], layers: Int = 2) -> Contents { contents(.read(packages), layers: layers) }

    private func contents(_ state: Contents.State, layers: Int = 2) -> Contents {
        Contents(digest: ImageDigest(of: "image".utf8), platform: .host, layers: Array(self.layers.prefix(layers)), state: state)
    }

    @Test("an image with the fix and nothing else changed has nothing wrong")
    func fixed() {
        let fix = package("openssl-libs", "3.0.8", epoch: 1)
        let verification = Verification(
            from: contents([package("openssl-libs", "3.0.7", epoch: 1), package("zlib", "1.2")]),
            to: contents([fix, package("zlib", "1.2")]), wanted: [fix].newest)
        #expect(verification.failure(refusesUnexpected: true) == nil)
        #expect(verification.sentences.isEmpty)
        #expect(verification.changed.map(\.after) == [fix])
        #expect(verification.packages == 2)
    }

    @Test("a package that is older than the epoch of the fix is still older")
    func epoch() {
        let verification = Verification(
            from: nil, to: contents([package("openssl-libs", "9.0")]), wanted: [package("openssl-libs", "3.0.8", epoch: 1)].newest)
        #expect(verification.stillOlder.map(\.installed) == [package("openssl-libs", "9.0")])
        #expect(verification.failure(refusesUnexpected: false)?.code == .stillOlder)
    }

    @Test("a module stream is not older than another stream")
    func streams() {
        let verification = Verification(
            from: nil, to: contents([package("nodejs", "16", module: "nodejs:16:1:c")]),
            wanted: [package("nodejs", "18", module: "nodejs:18:2:c")].newest)
        #expect(verification.failure(refusesUnexpected: true) == nil)
    }

    @Test("a package that the Containerfile pins names its layer")
    func ownLayer() {
        let parent = Verification.Parent(name: "team/base", contents: contents([package("zlib", "1.2")], layers: 1))
        let verification = Verification(
            from: nil, to: contents([package("zlib", "1.2"), package("expat", "1")]), wanted: [package("expat", "2")].newest,
            parents: [parent])
        #expect(verification.stillOlder.map(\.layer) == [layers[1]])
        #expect(
            verification.failure(refusesUnexpected: false)?.message
                == "The new image still has expat-1-1.x86_64, which is older than 2-1 and is installed by the Containerfile, "
                + "in the layer \(layers[1]).")
    }

    @Test("a package that comes with the base names the base")
    func fromParent() {
        let parent = Verification.Parent(name: "team/base", contents: contents([package("zlib", "1.2")], layers: 1))
        let verification = Verification(
            from: nil, to: contents([package("zlib", "1.2")]), wanted: [package("zlib", "1.3")].newest, parents: [parent])
        #expect(verification.stillOlder.map(\.parent) == ["team/base"])
        #expect(
            verification.sentences
                == ["The new image still has zlib-1.2-1.x86_64, which is older than 1.3-1 and comes with team/base."])
    }

    @Test("no layer is named if the image has several of its own")
    func severalLayers() {
        let verification = Verification(
            from: nil, to: contents([package("expat", "1")], layers: 3), wanted: [package("expat", "2")].newest)
        #expect(verification.stillOlder.map(\.layer) == [nil])
    }

    @Test("of two installed builds of a package, each that is older counts")
    func twoBuilds() {
        let verification = Verification(
            from: nil, to: contents([package("kernel", "1"), package("kernel", "2")]), wanted: [package("kernel", "2")].newest)
        #expect(verification.stillOlder.map(\.installed) == [package("kernel", "1")])
    }

    @Test("packages that vanished or went down fail the build only if that is asked for")
    func unexpected() {
        let verification = Verification(
            from: contents([package("a", "2"), package("b", "1")]), to: contents([package("a", "1"), package("c", "1")]))
        #expect(verification.vanished == [package("b", "1")])
        #expect(verification.downgraded.map(\.after) == [package("a", "1")])
        #expect(verification.added == [package("c", "1")])
        #expect(verification.failure(refusesUnexpected: false) == nil)
        #expect(verification.failure(refusesUnexpected: true)?.code == .unexpectedContents)
        #expect(
            verification.sentences == [
                "The new image lacks packages that it had before: b-1-1.x86_64.",
                "The new image has older packages than before: a-1-1.x86_64 in place of 2-1.",
            ])
    }

    @Test("a package that becomes noarch is not missing, and one of another architecture is")
    func architectures() {
        let before = [package("data", "1"), package("glibc", "1"), package("glibc", "1", arch: "i686")]
        let verification = Verification(
            from: contents(before), to: contents([package("data", "2", arch: "noarch"), package("glibc", "1")]))
        #expect(verification.vanished == [package("glibc", "1", arch: "i686")])
        #expect(verification.changed.map(\.after) == [package("data", "2", arch: "noarch")])
        #expect(verification.added.isEmpty)
    }

    @Test("keys are not compared")
    func keys() {
        let verification = Verification(
            from: contents([package("gpg-pubkey", "fd431d51", arch: "(none)")]),
            to: contents([package("gpg-pubkey", "0608b895", arch: "(none)")]))
        #expect(verification.failure(refusesUnexpected: true) == nil)
        #expect(verification.changed.isEmpty)
    }

    @Test("contents that are not known fail a build that had to bring packages, and no other")
    func unknown() {
        let after = contents(.unknown("The rpmdb is damaged."))
        let wanted = Verification(from: nil, to: after, wanted: [package("a", "1")].newest)
        #expect(wanted.failure(refusesUnexpected: false)?.code == .contentsUnknown)
        #expect(wanted.sentences == ["The packages of the new image are not known: The rpmdb is damaged."])
        #expect(Verification(from: nil, to: after).failure(refusesUnexpected: true) == nil)
        #expect(wanted.packages == nil)
    }

    @Test("an image without an rpmdb is verified, unless it had one before")
    func noDatabase() {
        let wanted = [package("a", "1")].newest
        #expect(Verification(from: contents(.none), to: contents(.none), wanted: wanted).failure(refusesUnexpected: true) == nil)
        let lost = Verification(from: contents([package("a", "1")]), to: contents(.none), wanted: wanted)
        #expect(lost.failure(refusesUnexpected: false)?.code == .unexpectedContents)
        #expect(lost.sentences == ["The new image has no rpmdb any more, so its packages cannot be verified."])
    }

    @Test("a long list is shortened, and the data are complete")
    func longList() {
        let before = (1...30).map { package("p\($0)", "1") }
        let verification = Verification(from: contents(before), to: contents([]))
        #expect(verification.sentences[0].hasSuffix(" and 20 more."))
        #expect(verification.vanished.count == 30)
    }

    @Test("a verification survives being stored, and is shown in words too")
    func stored() throws {
        let verification = Verification(
            from: contents([package("a", "2"), package("b", "1")]), to: contents([package("a", "1")]), wanted: [package("a", "3")].newest)
        let bytes = try JSONEncoder().encode(verification)
        #expect(try JSONDecoder().decode(Verification.self, from: bytes) == verification)
        let shown = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
        #expect(shown["sentences"] as? [String] == verification.sentences)
        #expect(shown["still_older"] != nil)
    }
}
