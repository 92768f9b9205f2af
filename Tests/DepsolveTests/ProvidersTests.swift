import CSolv
import Logging
import Testing

@testable import Depsolve

@Suite("The lists of providers")
struct ProvidersTests {
    @Test("they are those of libsolv, for all packages and for some of them", arguments: 1...20)
    func lists(_ seed: Int) async throws {
        try await withTemporaryDirectory { directory in
            var random = Dice(seed: seed)
            random.names = 30
            let others = "foreign 1-1 aarch64\n provides feature\nsource 1-1 src\n provides feature\n"
            var packages = try WorldPackage.parse(random.world(count: 120) + others)
            for index in packages.indices where random.roll(3) == 0 {
                packages[index].dependencies["provides", default: []] += ["feature = 1", "feature", "feature = \(2 + random.roll(3))"]
                packages[index].dependencies["requires", default: []] += ["feature >= \(random.roll(4))"]
            }
            let repository = try WorldRepository(packages: packages, name: "source").write(to: directory)
            let key = PackagePool.Key(
                repositories: [repository], lookaside: [], architecture: try #require(TreeArchitecture("x86_64")))
            let pool = try PackagePool.load(key, logger: Logger(label: "test"))
            let all = try compare(pool)
            var some = pool.emptySet()
            for package in pool.allPackages() where random.roll(3) > 0 { some.insert(package) }
            #expect(try pool.withOnly(some) { Result { try compare(pool) } }.get() < all)
        }
    }

    /// Compares the lists of all names and of all relations. Returns the number of providers of all names.
    private func compare(_ pool: PackagePool) throws -> Int {
        func lists() -> [[Id]] {
            let relations = (1..<pool.pool.pointee.nrels).map { $0 | Id.min }
            return (Array(1..<pool.pool.pointee.ss.nstrings) + relations).map { Array(pool.providers($0)) }
        }
        let names = Int(pool.pool.pointee.ss.nstrings) - 1
        let own = lists()
        pool_createwhatprovides(pool.pool)
        #expect(own == lists())
        return own.prefix(names).reduce(0) { $0 + $1.count }
    }
}
