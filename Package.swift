// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Swift's libraries are linked into the programs that are shipped (decision 55). The static libraries of
// Foundation do not name each other.
let withSwift: [LinkerSetting] = [
    .unsafeFlags(
        ["-static-stdlib", "-use-ld=lld", "-lCoreFoundation", "-l_FoundationICU", "-l_FoundationCShims", "-l_FoundationCollections"],
        .when(configuration: .release))
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting: Target.Dependency = .product(name: "HummingbirdTesting", package: "hummingbird")
let inMemoryLogging: Target.Dependency = .product(name: "InMemoryLogging", package: "swift-log")
let jwtKit: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let nioConcurrencyHelpers: Target.Dependency = .product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let serviceLifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let swiftASN1: Target.Dependency = .product(name: "SwiftASN1", package: "swift-asn1")
let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let tomlKit: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let x509: Target.Dependency = .product(name: "X509", package: "swift-certificates")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

// Each target imports only targets that are listed above it.
let package = Package(
    name: "odcs",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "odcs", targets: ["odcs"]),
        .executable(name: "odcs-publisher", targets: ["odcs-publisher"]),
        .executable(name: "odcs-rpmdb", targets: ["odcs-rpmdb"]),
        .executable(name: "odcs-server", targets: ["odcs-server"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(name: "CPostgreSQL", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CRPM", pkgConfig: "rpm", providers: [.apt(["librpm-dev"])]),
        .systemLibrary(name: "CSolv", pkgConfig: "libsolvext", providers: [.apt(["libsolv-dev", "libsolvext-dev"])]),
        .systemLibrary(name: "CCreaterepo", pkgConfig: "createrepo_c", providers: [.apt(["libcreaterepo-c-dev"])]),
        .systemLibrary(name: "CModulemd", pkgConfig: "modulemd-2.0", providers: [.apt(["libmodulemd-dev"])]),
        .systemLibrary(name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        .systemLibrary(
            name: "CCompression",
            providers: [.apt(["zlib1g-dev", "liblzma-dev", "libbz2-dev", "libdeflate-dev", "libisal-dev", "libzstd-dev"])]),
        .systemLibrary(name: "CGSSAPI", providers: [.apt(["libkrb5-dev"])]),
        .systemLibrary(name: "CLDAP", pkgConfig: "ldap", providers: [.apt(["libldap-dev"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "CRabbitMQ", pkgConfig: "librabbitmq", providers: [.apt(["librabbitmq-dev"])]),
        .systemLibrary(name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "CProton", pkgConfig: "libqpid-proton", providers: [.apt(["libqpid-proton11-dev"])]),
        .systemLibrary(name: "CNettle", pkgConfig: "nettle", providers: [.apt(["nettle-dev"])]),

        .target(name: "ForeignText", swiftSettings: strict),
        .target(name: "Retries", swiftSettings: strict),
        .target(name: "Identity", dependencies: ["ForeignText"], swiftSettings: strict),
        .target(
            name: "Kerberos", dependencies: ["CGSSAPI", "ForeignText", "Identity", logging, nioPosix, systemPackage],
            swiftSettings: strict),
        .target(
            name: "Directory", dependencies: ["CLDAP", "ForeignText", "Identity", logging, nioPosix, systemPackage],
            swiftSettings: strict),
        .target(
            name: "HTTPEnvironment",
            dependencies: ["ForeignText", "Retries", asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix, nioSSL],
            swiftSettings: strict),
        .target(
            name: "OpenID",
            dependencies: [
                "ForeignText", "HTTPEnvironment", "Identity", asyncHTTPClient, crypto, jwtKit, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
                serviceLifecycle,
            ],
            swiftSettings: strict),
        .target(
            name: "ServerTLS", dependencies: ["Identity", logging, nioSSL, serviceLifecycle, swiftASN1, x509], swiftSettings: strict),
        .target(name: "ComposeModel", dependencies: ["ForeignText", crypto], swiftSettings: strict),
        .target(
            name: "Postgres", dependencies: ["CPostgreSQL", "CLinux", "Retries", logging, serviceLifecycle, tracing], swiftSettings: strict),
        .target(name: "TraceContext", dependencies: [tracing], swiftSettings: strict),
        .target(
            name: "Traces",
            dependencies: [
                "ForeignText", "HTTPEnvironment", "Retries", "TraceContext", asyncHTTPClient, logging, nioCore, nioHTTP1, serviceLifecycle,
                tracing,
            ],
            swiftSettings: strict),
        .target(name: "BackgroundWork", dependencies: ["Postgres", logging, serviceLifecycle], swiftSettings: strict),
        .target(name: "Processes", dependencies: ["CLinux", "ForeignText", "Retries", subprocess, systemPackage], swiftSettings: strict),
        .target(
            name: "EmbeddedPostgres", dependencies: ["CLinux", "Processes", logging, serviceLifecycle, subprocess, systemPackage],
            swiftSettings: strict),
        .target(name: "ImageModel", dependencies: ["ComposeModel", "ForeignText", crypto], swiftSettings: strict),
        .target(
            name: "ComposeStore",
            dependencies: ["ComposeModel", "ForeignText", "Identity", "ImageModel", "Postgres", "Retries", "TraceContext", crypto],
            resources: [
                .embedInCode("Schema/schema.sql"), .embedInCode("Schema/0002-submissions-and-tallies.sql"),
                .embedInCode("Schema/0003-packages-and-watches.sql"),
                .embedInCode("Schema/0004-awaiting-signatures.sql"), .embedInCode("Schema/0005-list-filters.sql"),
                .embedInCode("Schema/0006-shared-expiry-and-turns.sql"),
                .embedInCode("Schema/0007-callers.sql"), .embedInCode("Schema/0008-source-types.sql"),
                .embedInCode("Schema/0009-images.sql"), .embedInCode("Schema/0010-pins-and-verification.sql"),
                .embedInCode("Schema/0011-build-submissions.sql"),
                .embedInCode("Schema/0012-rebuilds.sql"),
                .embedInCode("Schema/0013-rebuild-submissions.sql"),
                .embedInCode("Schema/0014-tokens.sql"), .embedInCode("Schema/0015-owners.sql"),
                .embedInCode("Schema/0016-redone-steps.sql"), .embedInCode("Schema/0017-audit-by-age.sql"),
                .embedInCode("Schema/0018-submitted-composes.sql"), .embedInCode("Schema/0019-expiring-tokens.sql"),
                .embedInCode("Schema/0020-token-uses.sql"), .embedInCode("Schema/0021-events-by-age.sql"),
                .embedInCode("Schema/0022-worker-presence.sql"),
                .embedInCode("Schema/0023-shown-changes.sql"),
                .embedInCode("Schema/0024-farms.sql"),
                .embedInCode("Schema/0025-artifact-names.sql"),
                .embedInCode("Schema/0026-provenance-and-rules.sql"),
                .embedInCode("Schema/0027-events.sql"),
                .embedInCode("Schema/0028-questions.sql"),
                .embedInCode("Schema/0029-answers.sql"),
                .embedInCode("Schema/0030-sessions.sql"),
                .embedInCode("Schema/0031-traceparents.sql"),
                .embedInCode("Schema/0032-newer-programs.sql"),
                .embedInCode("Schema/0033-uploads-and-claims.sql"),
            ],
            swiftSettings: strict),
        .target(
            name: "Deliveries",
            dependencies: [
                "BackgroundWork", "ComposeModel", "ComposeStore", "ForeignText", "HTTPEnvironment", "ImageModel", "Postgres", "Retries",
                asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, serviceLifecycle, systemPackage,
            ],
            swiftSettings: strict),
        .target(
            name: "ServiceLog", dependencies: ["ComposeModel", "ForeignText", "TraceContext", logging], swiftSettings: strict),
        .target(
            name: "ServiceConfiguration",
            dependencies: [
                "ComposeModel", "ComposeStore", "Deliveries", "ForeignText", "ImageModel", "Postgres", "ServiceLog", logging,
                systemPackage, yams,
            ],
            swiftSettings: strict),
        .target(
            name: "Brokers",
            dependencies: [
                "CProton", "CRabbitMQ", "CRdKafka", "ComposeStore", "Deliveries", "ForeignText", crypto, logging, systemPackage,
            ],
            swiftSettings: strict),
        .target(name: "Compression", dependencies: ["CCompression", "CNettle", crypto, systemPackage], swiftSettings: strict),
        .target(
            name: "Repodata",
            dependencies: ["CCreaterepo", "CLinux", "CRPM", "CXML2", "Compression", "ForeignText", subprocess, systemPackage],
            swiftSettings: strict),
        .target(
            name: "RPMDatabases", dependencies: ["CLinux", "CRPM", "ForeignText", systemPackage], swiftSettings: strict),
        .target(name: "Modules", dependencies: ["CModulemd", "ForeignText", "Repodata", yams], swiftSettings: strict),
        .target(
            name: "Depsolve",
            dependencies: ["CLinux", "CSolv", "Compression", "ForeignText", "Modules", "Repodata", logging, systemPackage],
            swiftSettings: strict),
        .target(
            name: "Koji",
            dependencies: [
                "CXML2", "ForeignText", "HTTPEnvironment", "Retries", asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
                systemPackage,
            ],
            swiftSettings: strict),
        .target(
            name: "ContentSources",
            dependencies: [
                "CLinux", "ComposeModel", "Compression", "ForeignText", "HTTPEnvironment", "Koji", "Modules", "Repodata", "Retries",
                asyncHTTPClient, logging,
                nioCore, nioHTTP1,
                nioPosix,
                nioSSL, systemPackage,
            ],
            swiftSettings: strict),
        .target(
            name: "Registry",
            dependencies: [
                "ForeignText", "HTTPEnvironment", "ImageModel", "Retries", asyncHTTPClient, crypto, logging, nioCore, nioHTTP1, nioPosix,
                systemPackage,
            ], swiftSettings: strict),
        .target(
            name: "ImageArchive", dependencies: ["CLinux", "Compression", "ForeignText", "ImageModel", crypto, systemPackage],
            swiftSettings: strict),
        .target(
            name: "ContainerEngine",
            dependencies: ["ForeignText", "ImageModel", asyncHTTPClient, nioCore, nioHTTP1, nioPosix, systemPackage],
            swiftSettings: strict),
        .target(
            name: "ImageFetch",
            dependencies: ["ImageArchive", "ImageModel", "Registry", nioCore, nioPosix, systemPackage],
            swiftSettings: strict),
        .target(name: "Containerfiles", dependencies: ["ForeignText", "ImageModel"], swiftSettings: strict),
        .target(name: "Components", dependencies: ["ForeignText", "ImageModel", yams], swiftSettings: strict),
        .target(
            name: "Rebuilds",
            dependencies: ["ComposeModel", "ComposeStore", "Containerfiles", "ForeignText", "ImageModel", nioPosix, systemPackage],
            swiftSettings: strict),
        .target(
            name: "Inventory",
            dependencies: ["ComposeModel", "Containerfiles", "ForeignText", "ImageModel", mustache, systemPackage, yams],
            resources: [.embedInCode("inventory.schema.json")], swiftSettings: strict),
        .target(
            name: "BuildNodes",
            dependencies: [
                "ContainerEngine", "ForeignText", "ImageArchive", "ImageModel", "Processes", "Retries", asyncHTTPClient, logging, nioCore,
                nioPosix, nioSSL, subprocess, systemPackage,
            ],
            swiftSettings: strict),
        .target(
            name: "ComposeWorker",
            dependencies: [
                "BackgroundWork", "ComposeModel", "ComposeStore", "Compression", "ContentSources", "Depsolve", "ForeignText",
                "HTTPEnvironment", "ImageModel",
                "Modules", "Postgres", "Processes", "Repodata", "Retries", "TraceContext", asyncHTTPClient, crypto, logging, nioCore,
                nioHTTP1, nioPosix,
                serviceLifecycle,
                systemPackage, tracing,
            ],
            swiftSettings: strict),
        .target(
            name: "ImageWorker",
            dependencies: [
                "BackgroundWork", "BuildNodes", "Components", "ComposeModel", "ComposeStore", "ComposeWorker", "Containerfiles",
                "ForeignText",
                "ImageArchive",
                "ImageModel",
                "Postgres", "Processes", "RPMDatabases", "Rebuilds", "Registry", "Retries", logging, nioCore, nioPosix, serviceLifecycle,
                systemPackage,
            ],
            swiftSettings: strict),
        .target(
            name: "ComposeFrontend",
            dependencies: [
                "CLinux", "ComposeModel", "ComposeStore", "Containerfiles", "ForeignText", "Identity", "ImageArchive", "ImageModel",
                "Postgres",
                "Rebuilds",
                "Registry", "ServerTLS", crypto, httpTypes, hummingbird, hummingbirdCore, logging, mustache, nioConcurrencyHelpers, nioCore,
                nioHTTP1,
                nioPosix, nioSSL, nioTLS, serviceLifecycle,
                systemPackage, tracing,
            ],
            resources: [
                .embedInCode("OpenAPI/openapi.json"), .embedInCode("Pages/Assets/icon.svg"), .embedInCode("Pages/Assets/script.js"),
                .embedInCode("Pages/Assets/style.css"),
                .embedInCode("Pages/Templates/admin.mustache"),
                .embedInCode("Pages/Templates/ask-again.mustache"),
                .embedInCode("Pages/Templates/build.mustache"),
                .embedInCode("Pages/Templates/builds.mustache"),
                .embedInCode("Pages/Templates/compose-rows.mustache"),
                .embedInCode("Pages/Templates/compose.mustache"),
                .embedInCode("Pages/Templates/composes.mustache"),
                .embedInCode("Pages/Templates/diff.mustache"),
                .embedInCode("Pages/Templates/directory.mustache"),
                .embedInCode("Pages/Templates/error.mustache"),
                .embedInCode("Pages/Templates/facts.mustache"),
                .embedInCode("Pages/Templates/findings.mustache"),
                .embedInCode("Pages/Templates/home.mustache"),
                .embedInCode("Pages/Templates/image.mustache"),
                .embedInCode("Pages/Templates/images.mustache"),
                .embedInCode("Pages/Templates/layout.mustache"),
                .embedInCode("Pages/Templates/log.mustache"),
                .embedInCode("Pages/Templates/me.mustache"),
                .embedInCode("Pages/Templates/package-rows.mustache"),
                .embedInCode("Pages/Templates/packages.mustache"),
                .embedInCode("Pages/Templates/pager.mustache"),
                .embedInCode("Pages/Templates/queue.mustache"),
                .embedInCode("Pages/Templates/rebuild.mustache"),
                .embedInCode("Pages/Templates/rebuilds.mustache"),
                .embedInCode("Pages/Templates/routes.mustache"),
                .embedInCode("Pages/Templates/time.mustache"),
                .embedInCode("Pages/Templates/tokens.mustache"),
                .embedInCode("Pages/Templates/watch.mustache"),
                .embedInCode("Pages/Templates/watches.mustache"),
                .embedInCode("Pages/Templates/why.mustache"),
            ], swiftSettings: strict),
        .target(
            name: "ComposeClient",
            dependencies: [
                "ComposeModel", "ForeignText", "HTTPEnvironment", "ImageModel", "Retries", asyncHTTPClient, nioCore, nioHTTP1, nioPosix,
                systemPackage,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "odcs",
            dependencies: [
                "ComposeClient", "ComposeModel", "Compression", "ContainerEngine", "Containerfiles", "ForeignText", "HTTPEnvironment",
                "ImageArchive", "ImageFetch", "ImageModel", "Inventory", "Processes", "Registry", argumentParser, logging, nioCore,
                nioPosix, systemPackage,
                tomlKit, unixSignals,
            ],
            swiftSettings: strict, linkerSettings: withSwift),
        .executableTarget(
            name: "odcs-publisher",
            dependencies: [
                "Brokers", "ComposeStore", "Deliveries", "EmbeddedPostgres", "Postgres", "ServiceConfiguration", "ServiceLog",
                argumentParser, logging, serviceLifecycle, systemPackage, unixSignals,
            ],
            swiftSettings: strict, linkerSettings: withSwift),
        .executableTarget(
            name: "odcs-rpmdb", dependencies: ["RPMDatabases", systemPackage], swiftSettings: strict,
            // It starts for each image, and so it starts in 7 ms instead of 11 ms.
            linkerSettings: [.unsafeFlags(["-static-stdlib"], .when(configuration: .release))]),
        .executableTarget(
            name: "odcs-server",
            dependencies: [
                "BuildNodes", "CLinux", "ComposeFrontend", "ComposeModel", "ComposeStore", "ComposeWorker", "Compression",
                "ContainerEngine", "ContentSources", "Deliveries",
                "Depsolve", "Directory", "EmbeddedPostgres", "ForeignText", "HTTPEnvironment", "Identity", "ImageModel", "ImageWorker",
                "Kerberos",
                "Koji", "Modules", "OpenID",
                "Postgres", "Rebuilds", "Registry", "Repodata", "ServerTLS", "ServiceConfiguration", "ServiceLog", "Traces", argumentParser,
                asyncHTTPClient, hummingbird, logging,
                nioCore,
                nioPosix, nioSSL, serviceLifecycle, systemPackage, unixSignals, yams, tracing,
            ],
            swiftSettings: strict, linkerSettings: withSwift),

        .target(
            name: "ComposeTestKit", dependencies: ["ComposeModel", "ComposeStore", "EmbeddedPostgres", "Postgres", logging, systemPackage],
            path: "Tests/ComposeTestKit", swiftSettings: strict),
        .target(name: "LogTestKit", dependencies: [logging], path: "Tests/LogTestKit", swiftSettings: strict),
        .target(name: "RandomTestKit", path: "Tests/RandomTestKit", swiftSettings: strict),
        .target(
            name: "ScriptedService",
            dependencies: ["ComposeModel", "ImageModel", httpTypes, hummingbird, logging, nioCore, serviceLifecycle],
            path: "Tests/ScriptedService", swiftSettings: strict),
        .executableTarget(
            name: "fuzz-parsers",
            dependencies: [
                "Components", "ComposeFrontend", "ComposeModel", "Containerfiles", "ContentSources", "Depsolve", "HTTPEnvironment",
                "ImageArchive", "ImageModel", "Koji", "Modules", "Repodata", crypto, logging, nioPosix, systemPackage,
            ],
            path: "Tests/FuzzParsers", swiftSettings: strict),
        .target(
            name: "ScriptedHub", dependencies: ["Koji", nioCore, nioHTTP1, nioPosix, nioSSL, systemPackage], path: "Tests/ScriptedHub",
            exclude: ["Recordings", "topdir"], swiftSettings: strict),
        .target(
            name: "ImageTestKit",
            dependencies: [
                "CLinux", "EmbeddedPostgres", "ImageModel", "Processes", logging, nioCore, nioHTTP1, nioPosix, subprocess, systemPackage,
            ],
            path: "Tests/ImageTestKit", swiftSettings: strict),
        .target(
            name: "LoginTestKit", dependencies: ["Processes", subprocess, systemPackage], path: "Tests/LoginTestKit",
            swiftSettings: strict),
        .testTarget(
            name: "KojiTests",
            dependencies: ["Koji", "ScriptedHub", logging, nioCore, nioHTTP1, nioPosix, nioSSL, systemPackage],
            exclude: ["Certificates"], swiftSettings: strict),
        .testTarget(
            name: "ComposeClientTests",
            dependencies: ["ComposeClient", "ComposeModel", "HTTPEnvironment", "Retries", "ScriptedService", asyncHTTPClient, httpTypes],
            swiftSettings: strict),
        .testTarget(
            name: "odcsTests",
            dependencies: [
                "ComposeClient", "ComposeModel", "HTTPEnvironment", "ImageModel", "ImageTestKit", "Registry", "ScriptedService", "odcs",
                argumentParser, crypto, httpTypes, logging, subprocess, systemPackage,
            ],
            exclude: ["Scripts"], swiftSettings: strict),
        .testTarget(name: "ForeignTextTests", dependencies: ["ForeignText"], swiftSettings: strict),
        .testTarget(name: "BackgroundWorkTests", dependencies: ["BackgroundWork", "LogTestKit", logging], swiftSettings: strict),
        .testTarget(name: "RetriesTests", dependencies: ["Retries"], swiftSettings: strict),
        .testTarget(
            name: "HTTPEnvironmentTests",
            dependencies: ["HTTPEnvironment", asyncHTTPClient, nioCore, nioHTTP1, nioPosix, nioSSL], exclude: ["Certificates"],
            swiftSettings: strict),
        .testTarget(name: "ComposeModelTests", dependencies: ["ComposeModel", "ForeignText"], swiftSettings: strict),
        .testTarget(
            name: "PostgresTests", dependencies: ["EmbeddedPostgres", "Postgres", "Retries", logging, serviceLifecycle, systemPackage],
            swiftSettings: strict),
        .testTarget(
            name: "EmbeddedPostgresTests",
            dependencies: ["EmbeddedPostgres", "Postgres", "Processes", logging, serviceLifecycle, systemPackage],
            swiftSettings: strict),
        .testTarget(
            name: "ComposeStoreTests",
            dependencies: ["ComposeModel", "ComposeStore", "ComposeTestKit", "Identity", "ImageModel", "Postgres"],
            swiftSettings: strict),
        .testTarget(
            name: "OdcsServerTests",
            dependencies: [
                "ComposeFrontend", "ComposeTestKit", "Deliveries", "Traces", "Directory", "ForeignText", "Kerberos", "Koji",
                "ServiceConfiguration", "odcs-server", logging, subprocess, systemPackage, yams,
            ],
            path: "Tests/odcs-serverTests",
            swiftSettings: strict),
        .testTarget(name: "CompressionTests", dependencies: ["Compression", subprocess, systemPackage], swiftSettings: strict),
        .testTarget(
            name: "RepodataTests", dependencies: ["Compression", "Repodata", subprocess, systemPackage], exclude: ["Fixtures"],
            swiftSettings: strict),
        .testTarget(name: "ModulesTests", dependencies: ["Modules", "Repodata"], swiftSettings: strict),
        .testTarget(
            name: "DepsolveTests",
            dependencies: ["CSolv", "Compression", "Depsolve", "Modules", "RandomTestKit", "Repodata", logging, subprocess, systemPackage],
            exclude: ["Worlds"],
            swiftSettings: strict),
        .testTarget(
            name: "ContentSourcesTests",
            dependencies: [
                "CLinux", "ComposeModel", "Compression", "ContentSources", "ForeignText", "HTTPEnvironment", "Koji", "LogTestKit",
                "Modules",
                "Repodata", "ScriptedHub", asyncHTTPClient,
                logging, nioCore,
                nioHTTP1, nioPosix, nioSSL, subprocess, systemPackage,
            ],
            exclude: ["ModuleBuildAnswers", "PulpAnswers"], swiftSettings: strict),
        .testTarget(name: "ImageModelTests", dependencies: ["ForeignText", "ImageModel", crypto], swiftSettings: strict),
        .testTarget(
            name: "RegistryTests",
            dependencies: [
                "HTTPEnvironment", "ImageModel", "ImageTestKit", "Registry", asyncHTTPClient, logging, nioCore, nioHTTP1, nioPosix, nioSSL,
                subprocess, systemPackage,
            ], swiftSettings: strict),
        .testTarget(
            name: "ImageArchiveTests",
            dependencies: ["Compression", "ForeignText", "ImageArchive", "ImageModel", "ImageTestKit", subprocess, systemPackage],
            swiftSettings: strict),
        .testTarget(
            name: "ImageFetchTests",
            dependencies: [
                "ForeignText", "HTTPEnvironment", "ImageArchive", "ImageFetch", "ImageModel", "ImageTestKit", "Registry", logging, nioPosix,
                subprocess, systemPackage,
            ],
            swiftSettings: strict),
        .testTarget(name: "IdentityTests", dependencies: ["Identity"], swiftSettings: strict),
        .testTarget(
            name: "KerberosTests",
            dependencies: ["ForeignText", "Identity", "Kerberos", "LoginTestKit", inMemoryLogging, logging, nioPosix, systemPackage],
            swiftSettings: strict),
        .testTarget(
            name: "DirectoryTests",
            dependencies: ["Directory", "Identity", "LoginTestKit", inMemoryLogging, logging, nioPosix, systemPackage],
            swiftSettings: strict),
        .testTarget(
            name: "OpenIDTests",
            dependencies: [
                "HTTPEnvironment", "Identity", "OpenID", "ScriptedService", crypto, cryptoExtras, httpTypes, hummingbird, logging, nioCore,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ServerTLSTests",
            dependencies: ["Identity", "ServerTLS", crypto, logging, nioCore, nioPosix, nioSSL, nioTLS, swiftASN1, x509],
            swiftSettings: strict),
        .testTarget(name: "ComponentsTests", dependencies: ["Components", "ImageModel"], swiftSettings: strict),
        .testTarget(name: "ContainerfilesTests", dependencies: ["Containerfiles", "ForeignText", "ImageModel"], swiftSettings: strict),
        .testTarget(
            name: "RebuildsTests",
            dependencies: ["ComposeModel", "ComposeStore", "ComposeTestKit", "Containerfiles", "ImageModel", "Rebuilds", systemPackage],
            swiftSettings: strict),
        .testTarget(
            name: "InventoryTests",
            dependencies: ["ComposeModel", "Containerfiles", "ImageModel", "Inventory", subprocess, systemPackage, yams],
            swiftSettings: strict),
        .testTarget(
            name: "BuildNodesTests",
            dependencies: [
                "BuildNodes", "ContainerEngine", "ImageModel", "ImageTestKit", "Processes", logging, subprocess, systemPackage,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ImageWorkerTests",
            dependencies: [
                "BuildNodes", "ComposeModel", "ComposeStore", "ComposeTestKit", "ComposeWorker", "ImageModel", "ImageTestKit",
                "ImageWorker",
                "Postgres", "Processes", "RPMDatabases", "Registry", "odcs-rpmdb", logging, subprocess, systemPackage,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "BrokersTests", dependencies: ["Brokers", "CRdKafka", "ComposeStore", "Deliveries", logging], swiftSettings: strict),
        .testTarget(
            name: "ServiceLogTests", dependencies: ["ServiceLog", "TraceContext", logging, tracing], swiftSettings: strict),
        .testTarget(
            name: "ServiceConfigurationTests", dependencies: ["Deliveries", "ServiceConfiguration", systemPackage], swiftSettings: strict),
        .testTarget(
            name: "TracesTests",
            dependencies: ["TraceContext", "Traces", httpTypes, hummingbird, logging, nioCore, serviceLifecycle, tracing],
            swiftSettings: strict),
        .testTarget(name: "DeliveriesTests", dependencies: ["Deliveries"], swiftSettings: strict),
        .testTarget(name: "ProcessesTests", dependencies: ["Processes", systemPackage], swiftSettings: strict),
        .testTarget(
            name: "ComposeWorkerTests",
            dependencies: [
                "ComposeModel", "ComposeStore", "ComposeWorker", "Compression", "ContentSources", "Depsolve", "HTTPEnvironment", "Modules",
                "Repodata", "TraceContext",
                asyncHTTPClient,
                logging, nioPosix, subprocess, systemPackage, tracing,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ComposeFrontendTests",
            dependencies: [
                "ComposeFrontend", "ComposeModel", "ComposeStore", "ComposeTestKit", "EmbeddedPostgres", "ForeignText", "HTTPEnvironment",
                "Identity", "ImageModel", "ImageTestKit", "Postgres", "RandomTestKit", "Registry", httpTypes,
                hummingbird,
                hummingbirdTesting, inMemoryLogging, logging, nioCore, nioHTTP1, nioPosix, serviceLifecycle, systemPackage,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "BuildNodes", "ComposeModel", "ComposeStore", "ComposeTestKit", "Compression", "EmbeddedPostgres",
                "Identity", "ImageModel", "ImageTestKit", "Koji", "Postgres", "Processes", "RandomTestKit", "Registry",
                "ScriptedHub", "ScriptedService", "odcs", "odcs-publisher", "odcs-rpmdb", "odcs-server", asyncHTTPClient, crypto, httpTypes,
                hummingbird, logging, nioCore, nioHTTP1, subprocess, systemPackage,
            ],
            exclude: ["Scripts"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
