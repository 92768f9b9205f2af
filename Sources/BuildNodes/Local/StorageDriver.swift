import Logging
import Processes
import SystemPackage

/// Chooses the driver for the storage of a node: `overlay`, or `vfs` where the kernel or the file
/// system does not offer overlay mounts to an ordinary user. The driver vfs copies every layer.
enum StorageDriver {
    static func choose(for storage: BuildStorage, logger: Logger) async throws -> String {
        let work = try storage.makeWorkDirectory()
        var reasons: [String] = []
        for driver in ["overlay", "vfs"] {
            var storage = storage
            storage.driver = driver
            let buildah = Buildah(storage: storage)
            let (ending, transcript) = try await buildah.run(["info"], in: work)
            try await buildah.removeDirectory(work)
            if ending == .exited(0) {
                if driver == "vfs" {
                    logger.notice(
                        "images are stored by copying, which is slow: overlay mounts do not work here",
                        metadata: ["reason": "\(reasons[0])"])
                }
                return driver
            }
            reasons.append(transcript.error ?? transcript.lastLines(3).joined(separator: " "))
        }
        throw NodeFailure(
            .node,
            "buildah does not work as the user \(storage.account.account.name): \(reasons[1]). "
                + "The kernel must allow user namespaces, which it refuses inside of a chroot.")
    }
}
