# Elasticsearch 5 to 7: the server's jars, and its Netty transport as the module it is in the archive.
# Sourced by compose.

coordinates() {
  echo "org.elasticsearch:elasticsearch:$version org.elasticsearch.plugin:transport-netty4-client:$version"
}

arrange() {
  local module=$1/modules/transport-netty4 api
  # Before 6.5 the server does not start on a Java newer than 11.
  at_least 6 5 || find_java 8 11 >/dev/null || bring_java_11 "$1/jdk"
  api=$(basename "$1"/lib/log4j-api-*.jar .jar)
  # Some versions call log4j-core optional, and do not start without it.
  [ -e "$1/lib/${api/api/core}.jar" ] || bring "$1/lib" "org.apache.logging.log4j:log4j-core:${api#log4j-api-}"
  mkdir -p "$module"
  mv "$1"/lib/*netty* "$module"
  printf '%s\n' 'description=Netty 4 transport' "version=$version" 'name=transport-netty4' \
    'classname=org.elasticsearch.transport.Netty4Plugin' 'java.version=1.8' "elasticsearch.version=$version" \
    'extended.plugins=' 'has.native.controller=false' > "$module/plugin-descriptor.properties"
  # Granted to the whole module: the policy of a plugin reaches no other code.
  # Without setContextClassLoader the server never ends when it is stopped.
  cat > "$module/plugin-security.policy" <<'POLICY'
grant {
  permission java.lang.RuntimePermission "accessDeclaredMembers";
  permission java.lang.RuntimePermission "getClassLoader";
  permission java.lang.RuntimePermission "setContextClassLoader";
  permission java.lang.reflect.ReflectPermission "suppressAccessChecks";
  permission java.util.PropertyPermission "*", "read,write";
  permission java.net.SocketPermission "*", "accept,connect,listen,resolve";
  permission java.io.FilePermission "/proc/sys/net/core/somaxconn", "read";
};
POLICY
  if [ "$major.$minor" = 6.8 ]; then x_pack "$1/modules/x-pack-core"; fi
  if at_least 6 0 && ! ls "$1"/lib/*plugin-classloader* >/dev/null 2>&1; then class_loader "$1/lib"; fi
}

# The archive's module with frozen indices, which in 6.6 to 6.8 needs no other module.
x_pack() {
  mkdir -p "$1"
  bring "$1" "org.elasticsearch.plugin:x-pack-core:$version"
  printf '%s\n' 'description=X-Pack core' "version=$version" 'name=x-pack-core' \
    'classname=org.elasticsearch.xpack.core.XPackPlugin' 'java.version=1.8' "elasticsearch.version=$version" \
    'extended.plugins=' 'has.native.controller=false' > "$1/plugin-descriptor.properties"
  sed 's/^};/  permission java.security.SecurityPermission "*";\n};/' \
    "$1/../transport-netty4/plugin-security.policy" > "$1/plugin-security.policy"
}

# From 6.0 on the server wants a class that Maven Central has for some versions only.
class_loader() {
  local jdk work name=elasticsearch-plugin-classloader
  # The security policy of the server grants by this name.
  at_least 7 0 || name=plugin-classloader
  jdk=$(need_java 11 25 javac)
  work=$(mktemp -d)
  "$jdk/bin/javac" -nowarn --release 8 -d "$work" "$here/ExtendedPluginsClassLoader.java" 2>/dev/null
  "$jdk/bin/jar" cf "$1/$name-$version.jar" -C "$work" org
  rm -rf "$work"
}

# appender NAME FILE ROLLED: a file that rolls each day, and from 6.0 on by size, as the vendor has it.
appender() {
  local base='${sys:es.logs.base_path}${sys:file.separator}${sys:es.logs.cluster_name}' key=appender.$1
  printf '%s\n' "$key.type = RollingFile" "$key.name = $1" "$key.fileName = $base$2" \
    "$key.filePattern = $base-%d{yyyy-MM-dd}$3" "$key.policies.type = Policies" \
    "$key.policies.time.type = TimeBasedTriggeringPolicy" "$key.policies.time.interval = 1" \
    "$key.policies.time.modulate = true"
  if at_least 6 0; then
    printf '%s\n' "$key.policies.size.type = SizeBasedTriggeringPolicy" "$key.policies.size.size = 128MB" \
      "$key.strategy.type = DefaultRolloverStrategy" "$key.strategy.fileIndex = nomax"
  fi
  echo "rootLogger.appenderRef.$1.ref = $1"
}

logging() {
  local stamp='[%d{ISO8601}][%-5p][%-25c{1.}]' console file
  console="$stamp [%node_name]%marker %m%n"
  file=$console
  at_least 7 0 || file="$stamp [%node_name]%marker %.-10000m%n"
  at_least 6 5 || { console="$stamp %marker%m%n" file="$stamp %marker%.-10000m%n"; }
  {
    printf '%s\n' 'status = error' 'rootLogger.level = info' 'rootLogger.appenderRef.console.ref = console' \
      'appender.console.type = Console' 'appender.console.name = console' \
      'appender.console.layout.type = PatternLayout' "appender.console.layout.pattern = $console" \
      'appender.plain.layout.type = PatternLayout' "appender.plain.layout.pattern = $file"
    if at_least 7 0; then
      appender plain .log -%i.log.gz
      appender json _server.json -%i.json.gz
      printf '%s\n' 'appender.json.layout.type = ESJsonLayout' 'appender.json.layout.type_name = server'
    elif at_least 6 0; then appender plain .log -%i.log.gz
    else appender plain .log .log; fi
  } > "$1/log4j2.properties"
}

launcher() {
  local java allow=
  if at_least 6 5; then java=$(need_java 11 17)
  elif [ -x "$1/jdk/bin/java" ]; then java=$1/jdk
  else java=$(need_java 8 11); fi
  # Java 12 and later want to be told that a security manager may be set; 11 does not know the word.
  [ "$(java_major "$java")" -lt 12 ] || allow=-Djava.security.manager=allow
  launch_script ES "$java" "$allow \"-Des.path.home=\$home\" \"-Des.path.conf=\$conf\" -Des.distribution.flavor=oss \\
  -Des.distribution.type=tar -Des.bundled_jdk=false -Dlog4j.shutdownHookEnabled=false -Dlog4j2.disable.jmx=true \\
  -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true -cp \"\$home/lib/*\" org.elasticsearch.bootstrap.Elasticsearch"
}
