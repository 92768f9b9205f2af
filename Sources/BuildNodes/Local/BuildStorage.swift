import Foundation
import Glibc
import ImageModel
import Processes
import SystemPackage

/// A *build storage* is the directory of a local node: images, working containers and settings. It
/// belongs to the build account. Two workers never share one.
struct BuildStorage: Sendable {
    let directory: FilePath
    let account: BuildAccount
    /// The driver of containers/storage: `overlay`, or `vfs` where overlay cannot be used.
    var driver = "overlay"
    /// The namespace that buildah runs in.
    var namespace = UserNamespace.byBuildah

    /// Images and working containers.
    var images: FilePath { directory.appending("images") }
    /// State of mounts, which a new start of the host makes worthless.
    private var runtime: FilePath { directory.appending("run") }
    private var settings: FilePath { directory.appending("settings") }
    /// The home of the build account, where tools keep caches of their own.
    private var home: FilePath { directory.appending("home") }
    private var work: FilePath { directory.appending("work") }
    /// The caches of images, which later builds use again.
    private var caches: FilePath { directory.appending("caches") }

    /// Makes the directories, and writes the settings that take the place of those of the host.
    func prepare(insecure: [RegistryHost]) throws {
        for directory in [directory, images, runtime, settings, home, work, caches] { try make(directory) }
        if let obstacle = account.account.obstacle(above: images) {
            throw NodeFailure(
                .node,
                "Images are built by the user \(account.account.name), who cannot enter \(obstacle): use a state directory elsewhere, or chmod o+x \(obstacle)"
            )
        }
        // No name of the host gets into a build, and neither its proxies nor its time zone.
        try write("[containers]\nbase_hosts_file = \"none\"\nhttp_proxy = false\n[engine]\nruntime = \"runc\"\n", to: "containers.conf")
        var registries = "unqualified-search-registries = []\nshort-name-mode = \"enforcing\"\n"
        for host in insecure { registries += "[[registry]]\nlocation = \"\(host)\"\ninsecure = true\n" }
        try write(registries, to: "registries.conf")
    }

    /// The options of buildah that lead to this storage. It ignores a `runroot` in storage.conf if it
    /// does not run as root.
    var options: [String] { ["--root", images.string, "--runroot", runtime.string, "--storage-driver", driver] }

    /// The complete environment of a program that works in the directory of a step.
    func environment(in work: FilePath) -> [String: String] {
        var environment = ChildProcess.plainEnvironment(home: home).merging(namespace.environment) { $1 }
        environment["TMPDIR"] = work.string
        environment["XDG_RUNTIME_DIR"] = work.string
        environment["CONTAINERS_CONF"] = settings.appending("containers.conf").string
        environment["CONTAINERS_REGISTRIES_CONF"] = settings.appending("registries.conf").string
        return environment
    }

    /// Makes a directory for one run of a program, with the temporary files of buildah and runc.
    func makeWorkDirectory() throws -> FilePath {
        let directory = work.appending(UUID().uuidString.lowercased())
        try make(directory)
        return directory
    }

    /// The directories of programs that run or were killed.
    var workDirectories: [FilePath] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: work.string).map { work.appending($0) } }
    }

    /// Gives a build the caches of an image. buildah keeps caches in its directory for temporary files,
    /// below `buildah-cache`. Later versions than 1.28 add the number of the user to that name.
    func link(_ name: String, into work: FilePath) throws {
        let target = caches.appending(name)
        try make(target)
        for link in ["buildah-cache", "buildah-cache-\(account.account.user)"] {
            let path = work.appending(link)
            guard symlink(target.string, path.string) == 0 else { throw Errno(rawValue: errno) }
            try own(path)
        }
    }

    /// Moves the caches of images to the work directories, where the sweeper removes them.
    func dropCaches() throws -> [FilePath] {
        try FileManager.default.contentsOfDirectory(atPath: caches.string).map { name in
            let directory = work.appending(UUID().uuidString.lowercased())
            guard rename(caches.appending(name).string, directory.string) == 0 else { throw Errno(rawValue: errno) }
            return directory
        }
    }

    /// Moves all images away, and makes a directory for new ones. No program may use the images.
    ///
    /// - Returns: The directory of the old ones, among the work directories.
    func dropImages() throws -> FilePath {
        let directory = work.appending(UUID().uuidString.lowercased())
        guard rename(images.string, directory.string) == 0 else { throw Errno(rawValue: errno) }
        try make(images)
        return directory
    }

    /// The ids of images that lack their manifest. A builder that was killed while it wrote or pulled an
    /// image has left them. buildah does not list them.
    var halfMadeImages: [String] {
        struct Record: Decodable {
            let id: String
            /// The names of its documents.
            let parts: [String]?

            private enum CodingKeys: String, CodingKey {
                case id
                case parts = "big-data-names"
            }
        }
        let records = (try? JSONDecoder().decode([Record].self, from: document("images"))) ?? []
        return records.filter { !($0.parts ?? []).contains { $0.hasPrefix("manifest") } }.map(\.id)
    }

    /// Whether there are neither images nor working containers, and layers all the same. A builder that was
    /// killed has left those.
    var hasOnlyLayers: Bool {
        func isEmpty(_ kind: String) -> Bool {
            // A storage without images may have no document of them.
            guard let data = try? document(kind) else { return true }
            // A damaged document may have had images.
            return ((try? JSONSerialization.jsonObject(with: data)) as? [Any])?.isEmpty ?? false
        }
        return isEmpty("images") && isEmpty("containers") && !isEmpty("layers")
    }

    /// Returns a document of the storage: `images`, `containers` or `layers`.
    private func document(_ kind: String) throws -> Data {
        try Data(contentsOf: URL(filePath: images.appending("\(driver)-\(kind)/\(kind).json").string))
    }

    /// Writes a file that only the build account can read.
    func write(_ content: some Sequence<UInt8>, to file: FilePath, isExecutable: Bool = false) throws {
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .truncate, .noFollow],
            permissions: isExecutable ? [.ownerReadWriteExecute] : [.ownerReadWrite])
        try descriptor.closeAfter { _ = try descriptor.writeAll(content) }
        try own(file)
    }

    private func write(_ text: String, to name: String) throws { try write(text.utf8, to: settings.appending(name)) }

    private func make(_ directory: FilePath) throws {
        guard mkdir(directory.string, 0o700) == 0 || errno == EEXIST else { throw Errno(rawValue: errno) }
        try own(directory)
    }

    private func own(_ path: FilePath) throws {
        guard account.isOther else { return }
        guard lchown(path.string, account.account.user, account.account.group) == 0 else { throw Errno(rawValue: errno) }
    }
}
