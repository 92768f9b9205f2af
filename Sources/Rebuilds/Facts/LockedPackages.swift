import ComposeModel
import ForeignText
import Foundation
public import ImageModel
public import SystemPackage

/// The *locked packages* are the packages of a compose as its lock file (`compose.lock.json`) lists
/// them.
public enum LockedPackages {
    private struct Lock: Decodable {
        struct Package: Decodable {
            let nevra: String
            let path: String
            let module: String?
        }

        let version: Int
        let delivery: String?
        let packages: [Package]?
    }

    /// Reads the packages of a compose.
    ///
    /// - Parameters:
    ///   - directory: The compose's directory.
    ///   - compose: The compose's number, for messages.
    /// - Throws: ``RebuildProblem`` if no image can be rebuilt with the compose, or if its files are gone.
    public static func read(_ directory: FilePath, of compose: Int) throws(RebuildProblem) -> OfferedPackages {
        guard let text = FileManager.default.contents(atPath: directory.appending(ComposeLayout.lockFile).string) else {
            throw RebuildProblem("The files of compose \(compose) are not there. Renew it, and use the new compose.")
        }
        // The error of the decoder names members of our own file, which help no requester.
        guard let lock = try? JSONDecoder().decode(Lock.self, from: text), lock.version == 1 else {
            throw RebuildProblem("The list of packages of compose \(compose) cannot be read.")
        }
        guard let packages = lock.packages else {
            throw RebuildProblem(
                "Compose \(compose) has no list of packages, because Pulp or Pungi made it. "
                    + "Images can be rebuilt with composes of repositories, of tags, builds and modules of Koji, and of other composes.")
        }
        guard lock.delivery == nil else {
            throw RebuildProblem(
                "Compose \(compose) refers to the files of Koji and does not have them, so no build can install them. "
                    + "Make the compose without delivery: reference.")
        }
        var offered: [String: [InstalledPackage]] = [:]
        for package in packages {
            // Examples: x86_64/os/Packages/e/ed.rpm, source/tree/Packages/e/ed.src.rpm.
            guard let arch = package.path.split(separator: "/").first, arch != "source" else { continue }
            guard let read = InstalledPackage(nevra: package.nevra, module: package.module) else { continue }
            offered[String(arch), default: []].append(read)
        }
        return OfferedPackages(offered)
    }
}
