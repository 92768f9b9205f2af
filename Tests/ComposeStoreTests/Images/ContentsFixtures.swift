import ComposeStore
import ComposeTestKit
import ImageModel

extension TestDatabase {
    /// Makes the image have these packages on one platform, as if it was built elsewhere.
    func contents(_ packages: [InstalledPackage], of image: Image, on platform: Platform = amd64, digest: ImageDigest) async throws {
        try await store.recordLook(at: image.id, tag: .latest, digest: digest, manifests: [platform: digest])
        try await store.record(Contents(digest: digest, platform: platform, state: .read(packages)))
    }
}

extension InstalledPackage {
    /// Example: `"openssl-libs 1:3.0.7-28"`.
    static func named(_ text: String, arch: String = "x86_64", module: String? = nil) -> InstalledPackage {
        let parts = text.split(separator: " ")
        let evr = parts[1].split(separator: ":")
        let vr = evr[evr.count - 1].split(separator: "-")
        return InstalledPackage(
            name: String(parts[0]),
            evr: EVR(epoch: evr.count == 2 ? Int(evr[0]) ?? 0 : 0, version: String(vr[0]), release: String(vr[1])), arch: arch,
            source: "\(parts[0])-\(vr[0])-\(vr[1]).src.rpm", modularityLabel: module)
    }
}
