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

    /// Returns the programs that are not installed.
    static func missing(in path: String = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") -> [RequiredProgram] {
        allCases.filter { program in !path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 } }
    }

    /// The failure of a node without the program.
    var failure: NodeFailure {
        NodeFailure(
            .node,
            "\(self) is not installed, which builds of images need. Install the package \(packages.debian) (Debian) or "
                + "\(packages.fedora) (Fedora).")
    }
}
