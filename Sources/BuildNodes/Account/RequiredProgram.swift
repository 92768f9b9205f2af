import Glibc
import SystemPackage

/// A program that the local node starts, and the package of Debian and Fedora that has it.
enum RequiredProgram: String, CaseIterable {
    case buildah, runc, newuidmap, newgidmap, unshare, setpriv

    private var packages: (debian: String, fedora: String) {
        switch self {
        case .buildah: ("buildah", "buildah")
        case .runc: ("runc", "runc")
        case .newuidmap, .newgidmap: ("uidmap", "shadow-utils")
        case .unshare, .setpriv: ("util-linux", "util-linux")
        }
    }

    /// Returns a failure for the first program that is not installed.
    static func firstMissing(in path: String = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") -> NodeFailure? {
        for program in allCases {
            let isInstalled = path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
            if isInstalled { continue }
            return NodeFailure(
                .node,
                "\(program) is not installed, which builds of images need. Install the package \(program.packages.debian) (Debian) or "
                    + "\(program.packages.fedora) (Fedora).")
        }
        return nil
    }
}
