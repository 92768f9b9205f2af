import ImageModel
import Testing

@Suite("Origins of packages")
struct PackageOriginTests {
    @Test("the origin of a package is the lowest image with the same build, and an image with unknown packages decides nothing")
    func origin() throws {
        let layers = (1...4).map { ImageDigest(of: [UInt8($0)]) }
        let (old, new) = (
            InstalledPackage(name: "zlib", evr: EVR(version: "1", release: "1"), arch: "x86_64"),
            InstalledPackage(name: "zlib", evr: EVR(version: "1", release: "2"), arch: "x86_64")
        )
        let contents = Contents(digest: ImageDigest(of: [9]), platform: try Platform("linux/amd64"), layers: layers, state: .read([new]))
        func below(_ count: Int, _ packages: [InstalledPackage]?, build: Int? = nil) -> ImageBelow {
            ImageBelow(digest: ImageDigest(of: [UInt8(10 + count)]), layers: count, packages: packages, name: nil, build: build)
        }
        func origin(_ below: [ImageBelow]) -> PackageOrigin? { PackageOrigin(of: new, in: contents, below: below) }

        let upgraded = origin([below(1, [old]), below(3, [new], build: 5), below(4, [new], build: 6), below(3, [new], build: 2)])
        #expect(upgraded?.image.build == 2)
        #expect(upgraded?.layers == Array(layers[1..<3]))
        let unknown = origin([below(1, [new], build: 1), below(2, nil), below(4, [new])])
        #expect(unknown?.image.build == 1)
        #expect(unknown?.layers == [layers[0]])
        // The image between has another build, so the lower one did not bring this one.
        let again = origin([below(1, [new], build: 1), below(2, [old]), below(4, [new], build: 4)])
        #expect(again?.image.build == 4)
        #expect(again?.layers == Array(layers[2...]))
        #expect(origin([below(4, [old])]) == nil)
    }
}
