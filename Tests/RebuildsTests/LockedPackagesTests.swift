import Foundation
import ImageModel
import Rebuilds
import SystemPackage
import Testing

@Suite struct LockedPackagesTests {
    private func read(_ lock: String?) throws -> OfferedPackages {
        let directory = FileManager.default.temporaryDirectory.appending(path: "odcs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        if let lock { try Data(lock.utf8).write(to: directory.appending(path: "compose.lock.json")) }
        return try LockedPackages.read(FilePath(directory.path), of: 12)
    }

    @Test("packages are read with epoch and module, by the architecture of their repository, and without source packages")
    func packages() throws {
        let offered = try read(
            """
            {"version": 1, "packages": [
            {"nevra": "openssl-libs-1:3.0.7-28.el9.x86_64", "path": "x86_64/os/Packages/o/a.rpm"},
            {"nevra": "tzdata-2026a-1.noarch", "path": "aarch64/os/Packages/t/a.rpm"},
            {"nevra": "nodejs-18.1-1.x86_64", "path": "x86_64/os/Packages/n/a.rpm", "module": "nodejs:18"},
            {"nevra": "openssl-1:3.0.7-28.el9.src", "path": "source/tree/Packages/o/a.src.rpm"}]}
            """)
        #expect(
            offered.packages.mapValues { $0.map { "\($0) \($0.module ?? "-")" } } == [
                "x86_64": ["openssl-libs-1:3.0.7-28.el9.x86_64 -", "nodejs-18.1-1.x86_64 nodejs:18"],
                "aarch64": ["tzdata-2026a-1.noarch -"],
            ])
    }

    @Test("a compose that no image can be rebuilt with says why")
    func refusals() throws {
        func problem(_ lock: String?) -> String? {
            do {
                _ = try read(lock)
                return nil
            } catch {
                return "\(error)"
            }
        }
        #expect(problem(nil) == "The files of compose 12 are not there. Renew it, and use the new compose.")
        #expect(problem("{") == "The list of packages of compose 12 cannot be read.")
        #expect(
            problem(#"{"version": 1}"#)
                == "Compose 12 has no list of packages, because Pulp or Pungi made it. "
                + "Images can be rebuilt with composes of repositories, of tags, builds and modules of Koji, and of other composes.")
        #expect(
            problem(#"{"version": 1, "delivery": "reference", "packages": []}"#)
                == "Compose 12 refers to the files of Koji and does not have them, so no build can install them. "
                + "Make the compose without delivery: reference.")
    }
}
